#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount.h"
#include "base/name.h"
#include "plan/use.h"
#include "slots/around.h"
#include "slots/lending.h"
#include "slots/lock.h"
#include "slots/watch.h"
#include "state/state.h"

/* Of a ticket, which is the name of a claim's file. */
enum { DIGITS = 10 };

/*
 * Milliseconds between two tries. They double from FIRST_TICK on, up to WATCHED_TICK when the end
 * of a rival wakes us, and up to BLIND_TICK when nothing does. While another process holds the
 * mutex, which it does for a moment only, they are no longer than BUSY_TICK.
 */
enum { FIRST_TICK = 1, BUSY_TICK = 8, WATCHED_TICK = 1000, BLIND_TICK = 100 };

/* Seconds in which the mutex is to be had; milliseconds where the claim is granted already. */
enum { MUTEX_PATIENCE = 10, KEEP_PATIENCE = 100 };

struct lock {
	int state;            /* the state folder, borrowed */
	DIR *folder;
	int mutex, claim;     /* claim: our file, locked */
	int alone;            /* what has the name of those that run one at a time; -1: not we */
	struct watch *rivals; /* while these live, nothing changes for us */
	struct around *around; /* what others hold */
	unsigned long ticket; /* 0: none yet */
	char *target;
	json_t *claims;
	bool granted, lent;   /* lent: our job slot is */
	bool told;            /* that nothing can be locked */
	json_t *blocker;      /* see lock_blocker */
	unsigned waiting;     /* how many claims did at the last try, ours among them */
	double busy_since;    /* when others had the mutex; 0: at the last try nobody had */
	int tick;
};

/* Another claim that is in our way, or would be if the amounts did not fit. */
struct rival {
	unsigned long ticket;
	bool holds, whole; /* whole: no amount of ours would fit beside it */
	size_t claim;      /* which of ours it is in the way of */
	json_t *text;      /* what its file says; NULL: nothing that we could read */
};

struct rivals {
	struct rival *v;
	size_t n;
};

static const char *
text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "?";
}

static void
ticket_name(char name[DIGITS + 1], unsigned long ticket)
{
	snprintf(name, DIGITS + 1, "%0*lu", DIGITS, ticket % 10000000000UL);
}

/* False with errno set, and the lock keeps the folder that it had. */
static bool
open_folder(struct lock *lock)
{
	int folder, mutex = -1;
	DIR *list = NULL;

	if (mkdirat(lock->state, "locks", 0777) == 0)
		file_give(lock->state, "locks");
	folder = openat(lock->state, "locks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0)
		mutex = openat(folder, "mutex", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (mutex >= 0)
		list = fdopendir(folder);
	if (!list) {
		fd_close(&mutex);
		fd_close(&folder);
		return false;
	}
	file_give(folder, "mutex");
	if (lock->folder)
		closedir(lock->folder);
	fd_close(&lock->mutex);
	lock->folder = list;
	lock->mutex = mutex;
	return true;
}

struct lock *
lock_open(int state, const char *target, const json_t *claims)
{
	struct lock *lock = xcalloc(1, sizeof(*lock));

	*lock = (struct lock){ .state = state, .mutex = -1, .claim = -1, .alone = -1,
		.rivals = watch_open(), .around = around_open(), .tick = FIRST_TICK };
	lock->target = xstrdup(target);
	lock->claims = json_deep_copy(claims);
	if (!open_folder(lock)) {
		warn("%s: going on without its resources: %s/locks", target, state_path());
		lock_close(lock);
		return NULL;
	}
	return lock;
}

/*
 * Removes the file before its lock goes: after that others may remove it themselves, and give its
 * name to a new claim.
 */
static void
end_claim(struct lock *lock)
{
	char name[DIGITS + 1];

	if (lock->claim >= 0) {
		ticket_name(name, lock->ticket);
		unlinkat(dirfd(lock->folder), name, 0);
	}
	fd_close(&lock->claim);
}

void
lock_close(struct lock *lock)
{
	if (!lock)
		return;
	end_claim(lock);
	watch_close(lock->rivals);
	around_close(lock->around);
	fd_close(&lock->alone);
	fd_close(&lock->mutex);
	if (lock->folder)
		closedir(lock->folder);
	json_decref(lock->blocker);
	json_decref(lock->claims);
	free(lock->target);
	free(lock);
}

/* The first byte of a claim's file goes to *state, and its second line is returned as JSON. */
static json_t *
read_claim(int fd, char *state)
{
	struct buffer text = { 0 };
	char block[4096];
	json_t *claim = NULL;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		buffer_add(&text, block, (size_t)n);
		if ((size_t)n < sizeof(block))
			break;
	}
	if (text.len > 1) {
		*state = text.data[0];
		claim = json_loadb(text.data + 1, text.len - 1, 0, NULL);
	}
	buffer_free(&text);
	return claim;
}

static long long
amount_of(const json_t *claim)
{
	return json_integer_value(json_object_get(claim, "amount"));
}

static void
add_rival(struct rivals *rivals, struct rival rival)
{
	rivals->v = xreallocarray(rivals->v, rivals->n + 1, sizeof(*rivals->v));
	rivals->v[rivals->n] = rival;
	json_incref(rivals->v[rivals->n++].text);
}

static void
free_rivals(struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++)
		json_decref(rivals->v[i].text);
	free(rivals->v);
	*rivals = (struct rivals){ 0 };
}

/*
 * Adds the other claim, which lives and holds or came before ours, to the rivals: once for each of
 * our claims that it is in the way of. Amounts that it takes are added to taken.
 */
static void
compare(struct lock *lock, struct rivals *rivals, struct rival other, long long *taken)
{
	json_t *theirs = json_object_get(other.text, "claims"), *mine, *its;
	size_t i, k;

	/* One that we cannot read may claim anything, so it is waited for: it will end. */
	if (!json_is_array(theirs)) {
		other.whole = true;
		add_rival(rivals, other);
	}
	json_array_foreach(lock->claims, i, mine) json_array_foreach(theirs, k, its) {
		bool amounts = use_of(mine) == AMOUNT && use_of(its) == AMOUNT;

		if (strcmp(text_of(mine, "resource"), text_of(its, "resource")) != 0 ||
		    (use_of(mine) == SHARED && use_of(its) == SHARED))
			continue;
		if (amounts && __builtin_add_overflow(taken[i], amount_of(its), &taken[i]))
			taken[i] = LLONG_MAX;
		other.claim = i;
		other.whole = !amounts;
		add_rival(rivals, other);
	}
}

/*
 * Looks at one file of the folder, under the mutex. If its owner is dead the file is removed. If it
 * lives, its claim is counted, and compared with ours if it comes before it.
 */
static void
look_at(struct lock *lock, const char *name, struct rivals *rivals, long long *taken)
{
	struct rival other = { .ticket = strtoul(name, NULL, 10) };
	int fd = openat(dirfd(lock->folder), name, O_RDONLY | O_CLOEXEC);
	char state = 'w';

	if (fd < 0)
		return;
	if (!watch_owner_lives(fd)) {
		unlinkat(dirfd(lock->folder), name, 0);
	} else {
		other.text = read_claim(fd, &state);
		other.holds = state == 'h';
		if (other.holds)
			around_note(lock->around, fd, other.text);
		lock->waiting += !other.holds;
		if (other.holds || lock->ticket == 0 || other.ticket < lock->ticket)
			compare(lock, rivals, other, taken);
		json_decref(other.text);
	}
	close(fd);
}

/* Looks at all claims but ours. Returns the highest ticket, those of the dead included. */
static unsigned long
look_around(struct lock *lock, struct rivals *rivals, long long *taken)
{
	unsigned long last = 0;
	struct dirent *entry;

	lock->waiting = 0;
	around_clear(lock->around);
	rewinddir(lock->folder);
	while ((entry = readdir(lock->folder))) {
		unsigned long ticket = strtoul(entry->d_name, NULL, 10);

		if (strspn(entry->d_name, "0123456789") != DIGITS || entry->d_name[DIGITS] ||
		    ticket == lock->ticket)
			continue;
		last = ticket > last ? ticket : last;
		look_at(lock, entry->d_name, rivals, taken);
	}
	return last;
}

/*
 * Leaves only those rivals that are in our way. An amount above the capacity fits when nobody else
 * has any. Who waits for a session that waits for us is overtaken.
 */
static void
drop_those_that_fit(const struct lock *lock, struct rivals *rivals, const long long *taken)
{
	size_t n = 0;

	for (size_t i = 0; i < rivals->n; i++) {
		size_t claim = rivals->v[i].claim;
		const json_t *mine = json_array_get(lock->claims, claim);
		long long capacity = json_integer_value(json_object_get(mine, "capacity"));

		if ((rivals->v[i].whole || taken[claim] > capacity - amount_of(mine)) &&
		    (rivals->v[i].holds || !around_holds(lock->around, rivals->v[i].text)))
			rivals->v[n++] = rivals->v[i];
		else
			json_decref(rivals->v[i].text);
	}
	rivals->n = n;
}

static bool
write_claim(struct lock *lock, char state)
{
	char *body, *text;
	bool written;
	json_t *claim = json_pack("{s:i,s:i,s:s,s:O}", "schema", 1, "pid", (int)getpid(),
	    "target", lock->target, "claims", lock->claims);
	body = claim ? json_dumps(claim, JSON_COMPACT) : NULL;
	text = xasprintf("%c\n%s\n", state, body ? body : "");
	written = body && fd_write_all(lock->claim, text, strlen(text)) == 0;
	free(text);
	free(body);
	json_decref(claim);
	return written;
}

static bool
make_claim(struct lock *lock, unsigned long ticket, char state)
{
	char name[DIGITS + 1];

	ticket_name(name, ticket);
	lock->claim = openat(dirfd(lock->folder), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0666);
	if (lock->claim < 0)
		return false;
	lock->ticket = ticket;
	if (fd_lock(lock->claim, LOCK_EX | LOCK_NB) == 0 && write_claim(lock, state))
		return true;
	end_claim(lock);
	return false;
}

/*
 * Where nothing can be locked, or a claim cannot be written, the sessions with claims run one at a
 * time on this machine. That is said once in a make, whose pid is kept in a file.
 */
static void
tell_what_is_lost(struct lock *lock)
{
	int error = errno, folder = dirfd(lock->folder), mutex;
	char *make = xasprintf("%d\n", (int)getppid()), *type = mount_type(folder);
	char *name = name_of_file("told", folder);
	struct buffer told = { 0 };

	/* Two may find that out at once. */
	mutex = name_wait(name);
	if (file_read(folder, "told", &told) < 0 || strcmp(told.data, make) != 0)
		warnx("%s/locks: %s (file system %s): sessions that claim something run one at a "
		      "time, and makes on other machines do not know of it", state_path(),
		    strerror(error), type);
	(void)!file_store(folder, "told", make, strlen(make));
	fd_close(&mutex);
	free(name);
	buffer_free(&told);
	free(type);
	free(make);
}

static bool
grant_alone(struct lock *lock)
{
	char *name = name_of_file("locks", dirfd(lock->folder));

	if (!lock->told)
		tell_what_is_lost(lock);
	lock->told = true;
	end_claim(lock);
	lock->alone = name_take(name);
	/* Without sockets nobody could start a session. */
	lock->granted = lock->alone >= 0 || errno != EADDRINUSE;
	around_refuse_by(lock->around, lock->granted ? -1 : name_owner(name));
	free(name);
	return lock->granted;
}

/* Names the rival that was there first, and rather one that holds than one that waits as well. */
static void
name_blocker(struct lock *lock, const struct rivals *rivals)
{
	const struct rival *best = NULL;

	json_decref(lock->blocker);
	lock->blocker = NULL;
	for (size_t i = 0; i < rivals->n; i++) {
		const struct rival *it = &rivals->v[i];

		if (!best || it->holds > best->holds ||
		    (it->holds == best->holds && it->ticket < best->ticket))
			best = it;
	}
	if (best)
		lock->blocker = json_pack("{s:s,s:I,s:s}", "target", text_of(best->text, "target"),
		    "pid", json_integer_value(json_object_get(best->text, "pid")), "resource",
		    text_of(json_array_get(lock->claims, best->claim), "resource"));
}

/* False when it is gone, and another look may show that it was the last one in our way. */
static bool
watch_rival(struct lock *lock, const struct rival *rival)
{
	char name[DIGITS + 1];
	int file;

	ticket_name(name, rival->ticket);
	file = openat(dirfd(lock->folder), name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno != ENOENT;
	return watch_add(lock->rivals, file,
	    (pid_t)json_integer_value(json_object_get(rival->text, "pid")));
}

/*
 * Where one rival must go in any case, that one is enough: the last of these, since those before it
 * will have gone by then. Of amounts any that goes may make room: those who hold are watched first,
 * for a claim that waits goes seldom.
 */
static bool
watch_rivals(struct lock *lock, const struct rivals *rivals)
{
	const struct rival *last = NULL;
	bool all_live = true;

	for (size_t i = 0; i < rivals->n; i++)
		if (rivals->v[i].whole && (!last || rivals->v[i].ticket > last->ticket))
			last = &rivals->v[i];
	if (last)
		return watch_rival(lock, last);
	for (int holds = 1; holds >= 0; holds--)
		for (size_t i = 0; i < rivals->n && !watch_is_full(lock->rivals); i++)
			if (rivals->v[i].holds == holds)
				all_live &= watch_rival(lock, &rivals->v[i]);
	return all_live;
}

static bool
grant(struct lock *lock, unsigned long last)
{
	bool written;

	if (lock->ticket == 0)
		written = make_claim(lock, last + 1, 'h');
	else
		written = pwrite(lock->claim, "h", 1, 0) == 1;
	if (!written)
		return grant_alone(lock);
	watch_clear(lock->rivals);
	lock->granted = true;
	if (lock->lent)
		lending_set_owed(lock->mutex, true);
	return true;
}

/*
 * Grants our claim, or queues it and watches who is in its way. Under the mutex. False when one of
 * those has gone meanwhile: then it has to be decided once more.
 */
static bool
decide(struct lock *lock)
{
	long long *taken = xcalloc(json_array_size(lock->claims) + 1, sizeof(*taken));
	struct rivals rivals = { 0 };
	unsigned long last;
	bool decided = true;

	watch_clear(lock->rivals);
	last = look_around(lock, &rivals, taken);
	drop_those_that_fit(lock, &rivals, taken);
	if (rivals.n > 0)
		around_refuse(lock->around, lock->claims);
	name_blocker(lock, &rivals);
	if (rivals.n == 0) {
		grant(lock, last);
	} else if (lock->ticket == 0 && !make_claim(lock, last + 1, 'w')) {
		grant_alone(lock);
	} else {
		lock->waiting++;
		decided = watch_rivals(lock, &rivals);
	}
	free_rivals(&rivals);
	free(taken);
	return decided;
}

/*
 * A session may clean the checkout and take the folder with it, from under all claims. Once
 * somebody has made it anew, or at once if `make`, we go over to the new one. False when there is
 * none.
 */
static bool
follow_folder(struct lock *lock, bool make)
{
	int state = make ? state_make() : state_find();

	if (state < 0)
		return false;
	dup3(state, lock->state, O_CLOEXEC);
	close(state);
	watch_clear(lock->rivals);
	fd_close(&lock->claim);
	lock->ticket = 0;
	return open_folder(lock);
}

bool
lock_try(struct lock *lock)
{
	if (lock->granted || (watch_is_quiet(lock->rivals) && !fd_is_removed(lock->mutex)))
		return lock->granted;
	if (fd_is_removed(lock->mutex) && !follow_folder(lock, true))
		return grant_alone(lock);
	if (fd_lock(lock->mutex, LOCK_EX | LOCK_NB) < 0) {
		if (lock->busy_since == 0)
			lock->busy_since = clock_monotonic();
		if (errno != EWOULDBLOCK || clock_monotonic() - lock->busy_since > MUTEX_PATIENCE)
			return grant_alone(lock);
		lock->tick = lock->tick < BUSY_TICK ? lock->tick : BUSY_TICK;
		return false;
	}
	lock->busy_since = 0;
	while (!decide(lock))
		;
	(void)!fd_lock(lock->mutex, LOCK_UN);
	return lock->granted;
}

const char *
lock_refusal(const struct lock *lock)
{
	return around_refusal(lock->around);
}

bool
lock_is_alone(const struct lock *lock)
{
	return lock->alone >= 0;
}

void
lock_keep(struct lock *lock)
{
	struct rivals rivals = { 0 };
	long long *unused;

	if (lock->claim < 0 || !lock->granted || !fd_is_removed(lock->claim) ||
	    !follow_folder(lock, false) || fd_lock_within(lock->mutex, LOCK_EX, KEEP_PATIENCE) < 0)
		return;
	/* We hold already, whoever else may have come meanwhile. */
	unused = xcalloc(json_array_size(lock->claims) + 1, sizeof(*unused));
	if (!make_claim(lock, look_around(lock, &rivals, unused) + 1, 'h'))
		warn("%s: %s/locks", lock->target, state_path());
	(void)!fd_lock(lock->mutex, LOCK_UN);
	free_rivals(&rivals);
	free(unused);
}

int
lock_fd(const struct lock *lock)
{
	return watch_fd(lock->rivals);
}

int
lock_timeout(struct lock *lock)
{
	int tick = lock->tick, longest = lock_fd(lock) < 0 ? BLIND_TICK : WATCHED_TICK;

	if (!lock->lent && longest > LENDING_TICK)
		longest = LENDING_TICK;
	lock->tick = 2 * tick < longest ? 2 * tick : longest;
	return tick;
}

const json_t *
lock_blocker(const struct lock *lock)
{
	return lock->blocker;
}

bool
lock_may_lend(const struct lock *lock)
{
	return lock->blocker && lending_is_allowed(lock->mutex, lock->waiting);
}

void
lock_lent(struct lock *lock, bool lent)
{
	lock->lent = lent;
	if (lock->granted)
		lending_set_owed(lock->mutex, lent);
}
