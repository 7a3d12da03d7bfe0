#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/outlet.h"
#include "output/ci.h"
#include "output/page.h"
#include "state/runtime.h"

#define NAME ".page" RUNTIME_OF_NOW

/* Milliseconds in which what was written in turn has to be read. */
enum { PATIENCE = 2000 };

struct page {
	int file;
	bool ours; /* the turn */
};

static void
store(const struct page *page, const struct page_state *state)
{
	(void)!pwrite(page->file, state, sizeof(*state), 0);
}

struct page *
page_open(int folder)
{
	int file = ci_forge() == FORGE_NONE ? -1 : file_open_lock(folder, NAME);
	struct page *page;

	if (file < 0)
		return NULL;
	page = xcalloc(1, sizeof(*page));
	page->file = file;
	/* The silence of the run begins with its first session. */
	if (page_state(page).last <= 0)
		page_note(page);
	return page;
}

void
page_close(struct page *page)
{
	if (!page)
		return;
	/* What is not read yet is: see page_end. */
	if (!page->ours)
		close(page->file);
	free(page);
}

bool
page_begin(struct page *page, int milliseconds)
{
	if (!page)
		return false;
	page->ours = page->ours || fd_lock_within(page->file, LOCK_EX, milliseconds) == 0;
	return page->ours;
}

bool
page_end(struct page *page, long long lines)
{
	struct page_state state = page_state(page);
	bool read;

	if (!page)
		return true;
	fflush(stdout);
	if (lines > 0) {
		state.lines += lines;
		state.last = clock_monotonic();
		store(page, &state);
	}
	read = !page->ours || outlet_settle(PATIENCE);
	if (page->ours && read) {
		(void)!fd_lock(page->file, LOCK_UN);
		page->ours = false;
	}
	return read;
}

void
page_note(struct page *page)
{
	struct page_state state = page_state(page);

	if (!page)
		return;
	state.last = clock_monotonic();
	store(page, &state);
}

struct page_state
page_state(const struct page *page)
{
	struct page_state state = { 0 };

	if (!page || pread(page->file, &state, sizeof(state), 0) != sizeof(state))
		return (struct page_state){ 0 };
	/* What lies there may be anything. */
	if (state.lines < 0 || !(state.last >= 0 && state.last <= clock_monotonic()))
		return (struct page_state){ 0 };
	return state;
}
