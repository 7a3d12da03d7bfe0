#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "state/now.h"
#include "state/runtime.h"

/* See runtime.h. */
#define TABLE ".sessions" RUNTIME_OF_NOW

/* Of a target: see slug.h. */
#define TARGET_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* Bytes of the table that are locked. */
enum { DRAWER = 0, TELLER = 1 };

/* More helpers than that in one run are not shown. */
enum { ENTRIES = 8192 };

struct now {
	int table;    /* -1: there is none */
	off_t offset; /* of our entry */
	struct now_entry own;
	bool changed; /* what is written there is not what own has */
};

static off_t
offset_of(size_t entry)
{
	return (off_t)(sizeof(struct now_head) + entry * sizeof(struct now_entry));
}

static struct flock
range(short type, off_t start, size_t len)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = start,
		.l_len = (off_t)len };
}

/* The first one makes the head; if another is just as fast, nothing of his is lost. */
static bool
add_entry(struct now *now)
{
	struct stat st;

	if (fstat(now->table, &st) < 0 || st.st_size > offset_of(ENTRIES))
		return false;
	if (st.st_size < offset_of(0) && pwrite(now->table, "", 1, offset_of(0) - 1) != 1)
		return false;
	now->offset = fd_append(now->table, &now->own, sizeof(now->own));
	return now->offset >= 0;
}

struct now *
now_open(int folder, const char *target, unsigned jobs)
{
	struct now *now = xcalloc(1, sizeof(*now));
	struct flock lock;

	*now = (struct now){ .table = file_open_lock(folder, TABLE) };
	now->own = (struct now_entry){ .phase = NOW_WAITS, .jobs = jobs,
		.since = clock_monotonic(), .helper = getpid() };
	strlcpy(now->own.target, target, sizeof(now->own.target));
	if (now->table < 0)
		return now;
	if (!add_entry(now)) {
		fd_close(&now->table);
		return now;
	}
	lock = range(F_WRLCK, now->offset, sizeof(now->own));
	(void)fcntl(now->table, F_SETLK, &lock);
	return now;
}

void
now_close(struct now *now)
{
	if (!now)
		return;
	fd_close(&now->table);
	free(now);
}

static void
write_own(const struct now *now)
{
	if (now->table >= 0)
		(void)!pwrite(now->table, &now->own, sizeof(now->own), now->offset);
}

void
now_enter(struct now *now, enum now_phase phase, const char *what)
{
	struct now_entry *own = &now->own;

	if (!now->changed && own->phase == phase &&
	    !strncmp(own->what, what, sizeof(own->what) - 1))
		return;
	now->changed = false;
	if (own->phase != phase)
		own->since = clock_monotonic();
	own->phase = phase;
	strlcpy(own->what, what, sizeof(own->what));
	write_own(now);
}

void
now_begun(struct now *now, double begun, unsigned slots)
{
	struct now_entry *own = &now->own;

	/* Less than a millisecond is not worth to be written. */
	if (fabs(own->begun - begun) > 0.001 || own->slots != slots)
		now->changed = true;
	own->begun = begun;
	own->slots = slots;
}

void
now_ended(struct now *now, const struct record *record)
{
	now->own.verdict = record->verdict;
	now->own.bad = record_is_bad(record);
	now->own.seconds = record->duration;
	/* Also of one that never began. */
	now->own.phase = NOW_PHASES;
	now_enter(now, NOW_ENDED, "");
}

int
now_table(const struct now *now)
{
	return now->table;
}

int
now_open_table(int folder)
{
	return file_open(folder, TABLE, O_RDWR, offset_of(ENTRIES + 1));
}

static bool
is_sound(double time)
{
	return isfinite(time) && time >= 0;
}

/* Whoever may write there may have written anything. */
static void
make_sane(struct now_entry *entry)
{
	double *const times[] = { &entry->since, &entry->begun, &entry->seconds };

	for (size_t i = 0; i < countof(times); i++)
		if (!is_sound(*times[i]))
			*times[i] = 0;
	entry->target[sizeof(entry->target) - 1] = '\0';
	/* It becomes part of a file's name: see slug.h. */
	if (entry->target[strspn(entry->target, TARGET_CHARACTERS)])
		entry->target[0] = '\0';
	entry->what[sizeof(entry->what) - 1] = '\0';
	if (entry->phase >= NOW_PHASES)
		entry->phase = NOW_ENDED;
	if (entry->verdict >= VERDICTS)
		entry->verdict = NOT_RUN;
}

struct now_view
now_look(int table)
{
	struct now_view view = { 0 };
	struct stat st;
	ssize_t n;

	if (table < 0 || fstat(table, &st) < 0 || st.st_size < offset_of(0) ||
	    st.st_size > offset_of(ENTRIES + 1) ||
	    pread(table, &view.head, sizeof(view.head), 0) != (ssize_t)sizeof(view.head))
		return (struct now_view){ 0 };
	for (size_t i = 0; i < sizeof(view.head) / sizeof(double); i++)
		if (!is_sound(((const double *)&view.head)[i]))
			view.head = (struct now_head){ 0 };
	view.n = (size_t)(st.st_size - offset_of(0)) / sizeof(*view.entries);
	view.entries = xcalloc(view.n, sizeof(*view.entries));
	n = pread(table, view.entries, view.n * sizeof(*view.entries), offset_of(0));
	view.n = n < 0 ? 0 : (size_t)n / sizeof(*view.entries);
	for (size_t i = 0; i < view.n; i++)
		make_sane(&view.entries[i]);
	return view;
}

void
now_view_clear(struct now_view *view)
{
	free(view->entries);
	*view = (struct now_view){ 0 };
}

const struct now_entry *
now_find(const struct now_view *view, const char *target)
{
	for (size_t i = view->n; i > 0; i--)
		if (!strcmp(view->entries[i - 1].target, target))
			return &view->entries[i - 1];
	return NULL;
}

double
now_seconds(const struct now_entry *entry, double time)
{
	double until = entry->phase == NOW_HELD_UP ? entry->since : time;

	return entry->begun > 0 && until > entry->begun ? until - entry->begun : 0;
}

bool
now_lives(int table, size_t entry, const struct now *own)
{
	struct flock lock = range(F_WRLCK, offset_of(entry), sizeof(struct now_entry));

	if (own && own->offset == offset_of(entry))
		return true;
	return fcntl(table, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Two bytes of the head serve as locks, too: of who draws, and, for a moment, of who tells. */
bool
now_draws(struct now *now)
{
	struct flock lock = range(F_WRLCK, DRAWER, 1);

	return now->table >= 0 && fcntl(now->table, F_SETLK, &lock) == 0;
}

void
now_leave(struct now *now)
{
	struct flock lock = range(F_UNLCK, DRAWER, 1);

	if (now->table >= 0)
		(void)fcntl(now->table, F_SETLK, &lock);
}

bool
now_tells(struct now *now, double seconds)
{
	struct flock lock = range(F_WRLCK, TELLER, 1), unlock = range(F_UNLCK, TELLER, 1);
	double told = 0, due = clock_monotonic();
	bool is_us;

	if (now->table < 0 || fcntl(now->table, F_SETLK, &lock) < 0)
		return false;
	is_us = pread(now->table, &told, sizeof(told), offsetof(struct now_head, told)) ==
		(ssize_t)sizeof(told) && !(told > due - seconds && told <= due);
	if (is_us)
		now_note(now, offsetof(struct now_head, told), due);
	(void)fcntl(now->table, F_SETLK, &unlock);
	return is_us;
}

void
now_note(struct now *now, size_t place, double time)
{
	if (now->table >= 0)
		(void)!pwrite(now->table, &time, sizeof(time), (off_t)place);
}
