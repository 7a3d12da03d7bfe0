#include <stddef.h>
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

/* Milliseconds in which a log has to be read, and in which the turn for a line has to come. */
enum { PATIENCE = 2000, SOON = 500 };

/* No page has more lines, or bytes. */
#define LINES_MOST (1LL << 40)

struct page {
	int file;
	bool ours; /* the turn */
	size_t taken; /* bytes that we had written when it came */
};

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
	/* Where nobody reads, the turn is ours until we end: the lock goes with the descriptor. */
	if (!page->ours)
		close(page->file);
	free(page);
}

void
page_forked(struct page *page)
{
	if (page)
		fd_close(&page->file);
}

bool
page_begin(struct page *page, int milliseconds)
{
	if (!page)
		return false;
	page->ours = page->ours || fd_lock_within(page->file, LOCK_EX, milliseconds) == 0;
	fflush(stdout);
	page->taken = outlet_taken();
	return page->ours;
}

static void
add_lines(const struct page *page, long long lines)
{
	struct page_state state = page_state(page);

	fflush(stdout);
	state.lines += lines;
	state.bytes += (long long)(outlet_taken() - page->taken);
	state.last = clock_monotonic();
	/* Out of turn another's lines might get lost. */
	if (page->ours)
		(void)!pwrite(page->file, &state, sizeof(state), 0);
	else
		page_note(page);
}

static void
release(struct page *page)
{
	if (page->ours)
		(void)!fd_lock(page->file, LOCK_UN);
	page->ours = false;
}

bool
page_end(struct page *page, long long lines)
{
	if (!page)
		return true;
	add_lines(page, lines);
	if (!outlet_settle(PATIENCE))
		return false;
	release(page);
	return true;
}

void
page_begin_line(struct page *page)
{
	/* Where nobody reads what we have written before, it is not waited for once more. */
	(void)page_begin(page, outlet_is_behind() ? 0 : SOON);
}

void
page_end_line(struct page *page)
{
	if (!page)
		return;
	add_lines(page, 1);
	release(page);
}

void
page_note(const struct page *page)
{
	double now = clock_monotonic();

	if (page)
		(void)!pwrite(page->file, &now, sizeof(now), offsetof(struct page_state, last));
}

struct page_state
page_state(const struct page *page)
{
	struct page_state state = { 0 };

	if (!page || pread(page->file, &state, sizeof(state), 0) != sizeof(state))
		return (struct page_state){ 0 };
	/* What lies there may be anything. */
	if (state.lines < 0 || state.lines > LINES_MOST || state.bytes < 0 ||
	    state.bytes > LINES_MOST ||
	    !(state.last >= 0 && state.last <= clock_monotonic()))
		return (struct page_state){ 0 };
	return state;
}

long long
page_room(const struct page *page)
{
	long long bytes = page_state(page).bytes;

	return bytes < PAGE_BYTES ? PAGE_BYTES - bytes : 0;
}
