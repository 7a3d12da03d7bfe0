#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
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
#include "slots/around.h"
#include "slots/lending.h"
#include "slots/lock.h"
#include "slots/rivals.h"
#include "slots/watch.h"
#include "state/state.h"

/* Of a ticket, which is the name of a claim's file. */
enum { DIGITS = 10 };

#define FOLDER "locks"

/*
 * Milliseconds between two tries. They double from FIRST_TICK on, up to WATCHED_TICK when the end
 * of a rival wakes us, and up to BLIND_TICK when nothing does. While another process holds the
 * mutex, which it does for a moment only, they are no longer than BUSY_TICK.
 */
enum { FIRST_TICK = 1, BUSY_TICK = 8, WATCHED_TICK = 1000, BLIND_TICK = 100 };

/* Seconds in which the mutex is to be had; milliseconds where the claim is granted already. */
enum { MUTEX_PATIENCE = 10, KEEP_PATIENCE = 100 };

/* Bytes that a claim's file may have which is read. */
enum { CLAIM_MOST = 1 << 20 };

/* Seconds that we wait for a claim of which we cannot know whether its owner lives. */
#define HIDDEN_PATIENCE 60.0

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
	bool best_effort;     /* see lock_open */
	bool told;            /* that nothing can be locked */
	char *refusal;        /* see lock_refusal */
	double hidden_since;  /* a claim that cannot be opened is in our way; 0: none is */
	json_t *blocker;      /* see lock_blocker */
	unsigned waiting;     /* how many claims did at the last try, ours among them */
	double busy_since;    /* when others had the mutex; 0: at the last try nobody had */
	int tick;
};

static void
ticket_name(char name[DIGITS + 1], unsigned long ticket)
{
	snprintf(name, DIGITS + 1, "%0*lu", DIGITS, ticket % 10000000000UL);
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

/* Where the claims are, or were to be. */
static int
folder_of(const struct lock *lock)
{
	return lock->folder ? dirfd(lock->folder) : lock->state;
}

/*
 * With best effort, where nothing can be locked, or a claim cannot be written, the sessions with
 * claims run one at a time on this machine. That is said once in a make, whose pid is kept in a
 * file.
 */
static void
tell_what_is_lost(struct lock *lock)
{
	int error = errno, folder = folder_of(lock), mutex;
	char *make = xasprintf("%d\n", (int)getppid()), *type = mount_type(folder);
	char *name = name_of_file("told", folder);
	struct buffer told = { 0 };

	/* Two may find that out at once. */
	mutex = name_wait(name);
	if (file_load(folder, "told", &told) < 0 || strcmp(told.data, make) != 0)
		warnx("%s/locks: %s (file system %s): sessions that claim something run one at a "
		      "time, and makes on other machines do not know of it", state_path(),
		    file_why(error), type);
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
	char *name = name_of_file("locks", folder_of(lock));

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

/* The lock is not to be had, by errno, because of that file in the folder (or "": all of it). */
static bool
go_without(struct lock *lock, const char *file)
{
	int error = errno;
	char *type = mount_type(folder_of(lock));

	errno = error;
	if (lock->best_effort)
		grant_alone(lock);
	else if (!lock->refusal)
		lock->refusal = xasprintf("its resources cannot be locked: %s/" FOLDER "%s%s: %s "
		    "(file system %s): mend that, or set NOXMK_STATE=FOLDER elsewhere, or "
		    "locks = \"best-effort\"", state_path(), *file ? "/" : "", file,
		    file_why(error), type);
	free(type);
	return lock->granted;
}

/* False with errno set, and the lock keeps the folder that it had. */
static bool
open_folder(struct lock *lock)
{
	bool made = mkdirat(lock->state, FOLDER, 0777) == 0;
	int folder = openat(lock->state, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int mutex = -1;
	DIR *list = NULL;

	if (folder < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EACCES)) {
		folder = state_folder(lock->state, FOLDER);
		made = folder >= 0;
	}
	if (made) {
		/* For all who may use the state folder, whatever the umask. */
		(void)!fchmodat(lock->state, FOLDER, 0777, 0);
		file_give(lock->state, FOLDER);
	}
	if (folder >= 0)
		mutex = file_open_lock(folder, "mutex");
	if (mutex >= 0)
		list = fdopendir(folder);
	if (!list) {
		fd_close(&mutex);
		fd_close(&folder);
		return false;
	}
	if (lock->folder)
		closedir(lock->folder);
	fd_close(&lock->mutex);
	lock->folder = list;
	lock->mutex = mutex;
	return true;
}

struct lock *
lock_open(int state, const char *target, const json_t *claims, bool best_effort)
{
	struct lock *lock = xcalloc(1, sizeof(*lock));

	*lock = (struct lock){ .state = state, .mutex = -1, .claim = -1, .alone = -1,
		.rivals = watch_open(), .around = around_open(), .tick = FIRST_TICK,
		.best_effort = best_effort };
	lock->target = xstrdup(target);
	lock->claims = json_deep_copy(claims);
	if (!open_folder(lock))
		(void)go_without(lock, "");
	return lock;
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
	free(lock->refusal);
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

	while (text.len < CLAIM_MOST && (n = read(fd, block, sizeof(block))) > 0) {
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

/* A claim's file for reading. -1 with errno set: ENOENT if it is none, which is removed. */
static int
open_claim(const struct lock *lock, const char *name)
{
	int fd = file_open_claim(dirfd(lock->folder), name);

	if (fd >= 0 || errno == EACCES || errno == EPERM || errno == ENFILE || errno == EMFILE)
		return fd;
	if (errno != ENOENT)
		file_remove(dirfd(lock->folder), name);
	errno = ENOENT;
	return -1;
}

/*
 * Looks at one file of the folder, under the mutex. If its owner is dead the file is removed. If it
 * lives, its claim is counted, and compared with ours if it comes before it. Of one that cannot be
 * opened nobody knows: it counts, and as if it held. False when it is gone.
 */
static bool
look_at(struct lock *lock, const char *name, struct rivals *rivals, long long *taken)
{
	struct rival other = { .ticket = strtoul(name, NULL, 10) };
	int fd = open_claim(lock, name);
	char state = 'w';

	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0) {
		other.error = errno;
		other.holds = true;
		rivals_compare(rivals, lock->claims, other, taken);
		return true;
	}
	if (!watch_owner_lives(fd)) {
		unlinkat(dirfd(lock->folder), name, 0);
		close(fd);
		return false;
	}
	other.text = read_claim(fd, &state);
	other.holds = state == 'h' || !other.text;
	if (other.holds && other.text)
		around_note(lock->around, fd, other.text);
	lock->waiting += !other.holds;
	if (other.holds || lock->ticket == 0 || other.ticket < lock->ticket)
		rivals_compare(rivals, lock->claims, other, taken);
	json_decref(other.text);
	close(fd);
	return true;
}

/* Looks at all claims but ours. Returns the highest ticket. */
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
		if (look_at(lock, entry->d_name, rivals, taken) && ticket > last)
			last = ticket;
	}
	return last;
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
	/* Others have to see whether we live, whatever our umask. */
	(void)!fchmod(lock->claim, 0666);
	lock->ticket = ticket;
	if (fd_lock(lock->claim, LOCK_EX | LOCK_NB) == 0 && write_claim(lock, state))
		return true;
	end_claim(lock);
	return false;
}

static void
name_blocker(struct lock *lock, const struct rivals *rivals)
{
	json_decref(lock->blocker);
	lock->blocker = rivals_blocker(rivals, lock->claims);
}

static pid_t
pid_of(const struct rival *rival)
{
	return (pid_t)json_integer_value(json_object_get(rival->text, "pid"));
}

/* False when it is gone, and another look may show that it was the last one in our way. */
static bool
watch_rival(struct lock *lock, const struct rival *rival)
{
	char name[DIGITS + 1];
	int file;

	ticket_name(name, rival->ticket);
	file = open_claim(lock, name);
	if (file < 0)
		return errno != ENOENT;
	return watch_add(lock->rivals, file, pid_of(rival));
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
		return go_without(lock, "");
	watch_clear(lock->rivals);
	lock->granted = true;
	if (lock->lent)
		lending_set_owed(lock->mutex, true);
	return true;
}

/* Whoever cannot be seen may be there for ever. */
static void
check_hidden(struct lock *lock, const struct rivals *rivals)
{
	double now = clock_monotonic(), since = lock->hidden_since;
	char name[DIGITS + 1];

	lock->hidden_since = 0;
	for (size_t i = 0; i < rivals->n; i++) {
		if (rivals->v[i].error == 0)
			continue;
		lock->hidden_since = since > 0 ? since : now;
		ticket_name(name, rivals->v[i].ticket);
		errno = rivals->v[i].error;
		if (now - lock->hidden_since >= HIDDEN_PATIENCE)
			go_without(lock, name);
		return;
	}
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
	rivals_drop_fitting(&rivals, lock->claims, taken, lock->around);
	if (rivals.n > 0)
		around_refuse(lock->around, lock->claims);
	name_blocker(lock, &rivals);
	if (rivals.n == 0) {
		grant(lock, last);
	} else if (lock->ticket == 0 && !make_claim(lock, last + 1, 'w')) {
		go_without(lock, "");
	} else {
		lock->waiting++;
		decided = watch_rivals(lock, &rivals);
		check_hidden(lock, &rivals);
	}
	rivals_clear(&rivals);
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
	if (lock->refusal)
		return false;
	if (lock->granted || (watch_is_quiet(lock->rivals) && !fd_is_removed(lock->mutex)))
		return lock->granted;
	if (fd_is_removed(lock->mutex) && !follow_folder(lock, true))
		return go_without(lock, "");
	if (fd_lock(lock->mutex, LOCK_EX | LOCK_NB) < 0) {
		if (lock->busy_since == 0)
			lock->busy_since = clock_monotonic();
		if (errno != EWOULDBLOCK || clock_monotonic() - lock->busy_since > MUTEX_PATIENCE)
			return go_without(lock, "mutex");
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
	return lock->refusal ? lock->refusal : around_refusal(lock->around);
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
	rivals_clear(&rivals);
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
