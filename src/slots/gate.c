#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hash.h"
#include "slots/gate.h"
#include "state/runtime.h"

/* See runtime.h. */
#define TABLE ".gate" RUNTIME_OF_NOW

/* More sessions than that at once are not counted. */
enum { ENTRIES = 1024 };

/* Seconds after which nobody waits for one that waits and does not try: its helper is stopped. */
#define ABSENT 5.0

/* Of one session, as it is in the file. Times are monotonic seconds. */
struct entry {
	uint32_t used;   /* processors, as seen last; 0: the entry is nobody's */
	uint32_t needed; /* those that a command may come to use … */
	double until;    /* … before that time */
	double waiting;  /* at the gate since then; 0: it does not wait */
	double tried;    /* when it did last */
	uint32_t rank;
	uint32_t family; /* the hash of its function; 0: its wide command has come, or none will */
	uint32_t most;   /* processors that it uses at most from now on; 0: unknown */
	uint32_t spare;  /* so that no byte is left undefined */
};

/* By the hash of its subject. Two with the same hash are mixed up, which costs some time. */
struct note {
	uint32_t subject;  /* 0: the note is free */
	uint32_t used;     /* the most processors that a command was seen to use */
};

/* The file begins with these. The mutex is the lock of its first byte. */
struct head {
	struct note notes[128];
};

struct gate {
	int file;
	int place;        /* of our entry; -1: the session has not begun, or is not counted */
	uint32_t family;  /* what the entry had or has */
	struct entry own;
	unsigned processors, others;
};

/* What is in the file now. */
struct view {
	struct entry entries[ENTRIES];
	int n;
};

struct gate *
gate_open(int folder, unsigned processors)
{
	int file = file_open_lock(folder, TABLE);
	struct gate *gate;

	if (file < 0) {
		warn(TABLE ": sessions do not wait for free processors");
		return NULL;
	}
	gate = xcalloc(1, sizeof(*gate));
	*gate = (struct gate){ .file = file, .place = -1, .processors = processors };
	return gate;
}

/* The bytes of an entry, or, if place is -1, of the mutex. */
static struct flock
lock_of(int place, short type)
{
	off_t head = sizeof(struct head), size = sizeof(struct entry);

	return (struct flock){ .l_type = type, .l_whence = SEEK_SET,
		.l_start = place < 0 ? 0 : head + place * size, .l_len = place < 0 ? 1 : size };
}

/*
 * Who has the mutex needs no time, unless he is stopped: a call does not last for that, but who is
 * at the gate has to try again.
 */
static bool
enter_mutex(const struct gate *gate)
{
	struct flock lock = lock_of(-1, F_WRLCK);

	return fcntl(gate->file, F_OFD_SETLK, &lock) == 0;
}

static void
leave_mutex(const struct gate *gate)
{
	struct flock unlock = lock_of(-1, F_UNLCK);

	fcntl(gate->file, F_OFD_SETLK, &unlock);
}

static void
write_own(const struct gate *gate)
{
	struct flock range = lock_of(gate->place, F_WRLCK);

	if (gate->place >= 0)
		(void)!pwrite(gate->file, &gate->own, sizeof(gate->own), range.l_start);
}

void
gate_close(struct gate *gate)
{
	if (!gate)
		return;
	gate->own = (struct entry){ 0 };
	write_own(gate);
	fd_close(&gate->file);
	free(gate);
}

/* Others may write meanwhile: their entries are then as they were, or as they come to be. */
static void
look(const struct gate *gate, struct view *view)
{
	ssize_t n = pread(gate->file, view->entries, sizeof(view->entries), sizeof(struct head));

	view->n = n < 0 ? 0 : (int)((size_t)n / sizeof(struct entry));
}

/* Is that somebody else, who lives? */
static bool
is_other(const struct gate *gate, const struct view *view, int place)
{
	struct flock range = lock_of(place, F_WRLCK);

	if (place == gate->place || view->entries[place].used == 0)
		return false;
	return fcntl(gate->file, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

/* Does it want to go? */
static bool
is_at_gate(const struct entry *entry, double now)
{
	return entry->waiting != 0 && now - entry->tried < ABSENT;
}

bool
gate_is_awaited(const struct gate *gate)
{
	double now = clock_monotonic();
	struct view view;

	look(gate, &view);
	for (int i = 0; i < view.n; i++)
		if (is_at_gate(&view.entries[i], now) && is_other(gate, &view, i))
			return true;
	return false;
}

bool
gate_has_company(const struct gate *gate)
{
	struct view view;

	look(gate, &view);
	for (int i = 0; i < view.n; i++)
		if (is_other(gate, &view, i))
			return true;
	return false;
}

void
gate_enter(struct gate *gate)
{
	for (int i = 0; i < ENTRIES && gate->place < 0; i++) {
		struct flock range = lock_of(i, F_WRLCK);

		if (fcntl(gate->file, F_OFD_SETLK, &range) == 0)
			gate->place = i;
	}
	gate->own = (struct entry){ .used = 1, .family = gate->family, .most = gate->own.most };
	write_own(gate);
}

/*
 * A session that uses none for a moment is there all the same. What is as it was is written, too:
 * somebody may have damaged the file.
 */
void
gate_use(struct gate *gate, unsigned processors)
{
	if (processors == 0)
		processors = 1;
	gate->own.used = processors;
	write_own(gate);
}

static unsigned
use_of(const struct entry *entry, double now)
{
	uint32_t needed = entry->until > now ? entry->needed : 0;

	if (entry->waiting != 0)
		return 0;
	return entry->used > needed ? entry->used : needed;
}

void
gate_use_at_most(struct gate *gate, unsigned processors)
{
	if (gate->own.most == processors)
		return;
	gate->own.most = processors;
	write_own(gate);
}

unsigned
gate_load_of_others(const struct gate *gate)
{
	unsigned load = 0;
	struct view view;

	look(gate, &view);
	for (int i = 0; i < view.n; i++)
		if (view.entries[i].waiting == 0 && is_other(gate, &view, i))
			load += view.entries[i].used;
	return load;
}

unsigned
gate_most_of_others(const struct gate *gate)
{
	unsigned most = 0;
	struct view view;

	look(gate, &view);
	for (int i = 0; i < view.n; i++) {
		if (view.entries[i].waiting != 0 || !is_other(gate, &view, i))
			continue;
		if (view.entries[i].most == 0)
			return 0;
		most += view.entries[i].most;
	}
	return most;
}

/* Is that one, who waits, to go before us? */
static bool
precedes(const struct gate *gate, const struct entry *other, int place)
{
	const struct entry *own = &gate->own;

	if (other->rank != own->rank)
		return other->rank < own->rank;
	return other->waiting < own->waiting ||
	       (other->waiting == own->waiting && place < gate->place);
}

/* Under the mutex. */
static bool
may_go(struct gate *gate, const struct gate_need *need)
{
	unsigned n = gate->processors, most = n + (need->known ? n - n / 4 : n) - 1;
	double now = clock_monotonic();
	bool is_first = true;
	struct view view;

	gate->others = 0;
	look(gate, &view);
	for (int i = 0; i < view.n; i++) {
		const struct entry *other = &view.entries[i];

		if (!is_other(gate, &view, i))
			continue;
		gate->others += use_of(other, now);
		if (is_at_gate(other, now) && precedes(gate, other, i))
			is_first = false;
	}
	if (most < n + 1)
		most = n + 1;
	return is_first && (gate->others == 0 || gate->others + need->processors <= most);
}

bool
gate_try(struct gate *gate, const struct gate_need *need)
{
	double now = clock_monotonic();
	bool goes;

	if (gate->place < 0)
		return true;
	if (!enter_mutex(gate))
		return false;
	if (gate->own.waiting == 0)
		gate->own.waiting = now;
	gate->own.tried = now;
	gate->own.rank = need->rank;
	goes = may_go(gate, need);
	if (goes) {
		gate->own.needed = need->processors;
		gate->own.until = now + need->settles;
		gate->own.waiting = 0;
	}
	write_own(gate);
	leave_mutex(gate);
	return goes;
}

void
gate_leave(struct gate *gate)
{
	if (gate->own.waiting == 0 && gate->own.needed == 0)
		return;
	gate->own.waiting = 0;
	gate->own.needed = 0;
	write_own(gate);
}

unsigned
gate_others(const struct gate *gate)
{
	return gate->others;
}

/* 0 stands for none. */
static uint32_t
hash_of(const char *text)
{
	uint32_t hash = hash_text(text);

	return hash > 0 ? hash : 1;
}

void
gate_belong(struct gate *gate, const char *function)
{
	if (function)
		gate->family = hash_of(function);
	gate->own.family = function ? gate->family : 0;
	write_own(gate);
}

unsigned
gate_count_siblings(const struct gate *gate)
{
	struct view view = { 0 };
	unsigned n = 0;

	if (gate->family != 0)
		look(gate, &view);
	for (int i = 0; i < view.n; i++)
		if (view.entries[i].family == gate->family && is_other(gate, &view, i))
			n++;
	return n;
}

/* The note on that one, or the first that is free. -1: there is neither. */
static int
find_note(const struct gate *gate, uint32_t subject, struct note *note)
{
	struct head head = { 0 };

	if (pread(gate->file, &head, sizeof(head), 0) < 0)
		return -1;
	for (int i = 0; i < (int)countof(head.notes); i++) {
		*note = head.notes[i];
		if (note->subject == subject || note->subject == 0)
			return i;
	}
	return -1;
}

void
gate_note(struct gate *gate, const char *subject, unsigned processors)
{
	uint32_t wanted = hash_of(subject);
	struct note note;
	int i;

	if (!enter_mutex(gate))
		return;
	i = find_note(gate, wanted, &note);
	if (i >= 0 && (note.subject == 0 || note.used < processors)) {
		note = (struct note){ .subject = wanted, .used = processors };
		(void)!pwrite(gate->file, &note, sizeof(note), i * (off_t)sizeof(note));
	}
	leave_mutex(gate);
}

unsigned
gate_noted(const struct gate *gate, const char *subject)
{
	uint32_t wanted = hash_of(subject);
	struct note note;

	return find_note(gate, wanted, &note) >= 0 && note.subject == wanted ? note.used : 0;
}
