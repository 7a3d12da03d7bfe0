/*
 * Random schedules of locks (lock.h). `model` drives several claims in one process, step by step,
 * and compares each answer with a model: what must be granted is, and nothing else. `processes`
 * lets many of them contend for real, kills some, and reads from what they say whether two ever met
 * that must not, or one was overtaken. NOXMK_SCHEDULES: how many schedules of each [500].
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "slots/lock.h"
#include "support.h"

enum { RESOURCES = 3, WORKERS = 12, CLAIMS = 8, STEPS = 40, CAPACITY = 4 };
enum life { NONE, WAITS, HOLDS };

/* What is claimed of each resource: 0 nothing, -1 exclusive, -2 shared, else an amount. */
struct wish {
	int of[RESOURCES];
};

/* Of the last resource amounts are taken, of the others not. */
static struct wish
random_wish(unsigned *seed)
{
	struct wish wish = { 0 };

	do
		for (int i = 0; i < RESOURCES; i++) {
			int dice = rand_r(seed) % 6;

			wish.of[i] = dice > 2 ? 0 : i + 1 < RESOURCES ? -1 - (dice > 0) :
								     1 + rand_r(seed) % CAPACITY;
		}
	while (!wish.of[0] && !wish.of[1] && !wish.of[2]);
	return wish;
}

static struct lock *
open_wish(int state, struct wish wish)
{
	static const char *const names[RESOURCES] = { "a", "b", "memory" };
	json_t *claims = json_array();
	struct lock *lock;

	for (int i = 0; i < RESOURCES; i++)
		if (wish.of[i] < 0)
			json_array_append_new(claims, json_pack("{s:s,s:s}", "resource", names[i],
			    "use", wish.of[i] == -1 ? "exclusive" : "shared"));
		else if (wish.of[i] > 0)
			json_array_append_new(claims, json_pack("{s:s,s:s,s:i,s:i}", "resource",
			    names[i], "use", "amount", "amount", wish.of[i], "capacity", CAPACITY));
	lock = lock_open(state, "contest", claims, false);
	json_decref(claims);
	return lock;
}

/* Two that may never hold at once, whatever the amounts of others. */
static bool
excludes(const struct wish *a, const struct wish *b)
{
	for (int i = 0; i < RESOURCES; i++)
		if (a->of[i] && b->of[i] && (a->of[i] == -1 || b->of[i] == -1 ||
						 (a->of[i] > 0 && a->of[i] + b->of[i] > CAPACITY)))
			return true;
	return false;
}

struct claim {
	enum life life;
	unsigned long ticket;
	struct wish wish;
	struct lock *lock;
};

/* Does it fit with all that hold and, if those count, with all that wait and came earlier? */
static bool
fits(const struct claim *claims, int n, const struct claim *mine, bool with_waiting)
{
	int taken = 0;

	for (const struct claim *it = claims; it < claims + n; it++) {
		if (it == mine || (it->life != HOLDS && !(with_waiting && it->life == WAITS &&
							    it->ticket < mine->ticket)))
			continue;
		if (excludes(&it->wish, &mine->wish))
			return false;
		taken += it->wish.of[RESOURCES - 1];
	}
	return !mine->wish.of[RESOURCES - 1] || taken + mine->wish.of[RESOURCES - 1] <= CAPACITY;
}

/* Of the claim that was made last. */
static unsigned long
newest_ticket(void)
{
	DIR *folder = opendir("state/locks");
	unsigned long newest = 0;
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		unsigned long ticket = strtoul(entry->d_name, NULL, 10);

		newest = ticket > newest ? ticket : newest;
	}
	closedir(folder);
	return newest;
}

/*
 * As if its process had died: the kernel closes what it had open. (What others have open of that
 * file goes as well, which only makes them look once more.)
 */
static void
strike_dead(struct claim *claim)
{
	struct stat file, other;
	int null = open("/dev/null", O_RDWR);
	char path[64];

	snprintf(path, sizeof(path), "state/locks/%010lu", claim->ticket);
	ck_assert_int_eq(stat(path, &file), 0);
	for (int fd = 3; fd < 256; fd++)
		if (fstat(fd, &other) == 0 && other.st_ino == file.st_ino &&
		    other.st_dev == file.st_dev)
			dup2(null, fd);
	close(null);
	claim->life = NONE;
}

static void
step(int state, struct claim *claims, struct lock **grave, unsigned *seed)
{
	struct claim *it = &claims[rand_r(seed) % CLAIMS];
	bool is_new = it->life == NONE, expected;

	if (is_new) {
		it->wish = random_wish(seed);
		it->lock = open_wish(state, it->wish);
		it->ticket = ULONG_MAX;
		it->life = WAITS;
	} else if (rand_r(seed) % 16 == 0) {
		strike_dead(it);
		*grave = it->lock;
		return;
	} else if (it->life == HOLDS || rand_r(seed) % 8 == 0) {
		lock_close(it->lock);
		it->life = NONE;
		return;
	}
	expected = fits(claims, CLAIMS, it, true);
	ck_assert_int_eq(lock_try(it->lock), expected);
	it->life = expected ? HOLDS : WAITS;
	if (is_new)
		it->ticket = newest_ticket();
}

static unsigned
schedules(void)
{
	const char *said = getenv("NOXMK_SCHEDULES");

	return said ? (unsigned)atoi(said) : 500;
}

static void
run_schedule(int state, unsigned seed)
{
	struct claim claims[CLAIMS] = { 0 };
	struct lock *graves[STEPS] = { 0 };

	for (int i = 0; i < STEPS; i++)
		step(state, claims, &graves[i], &seed);
	for (int i = 0; i < CLAIMS; i++)
		if (claims[i].life != NONE)
			lock_close(claims[i].lock);
	for (int i = 0; i < STEPS; i++)
		lock_close(graves[i]);
}

/* On all processors. */
START_TEST(claims_are_granted_as_the_model_says)
{
	pid_t pids[WORKERS];

	for (unsigned i = 0; i < WORKERS; i++) {
		char name[16];
		int state;

		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		ck_assert(mkdir(name, 0777) == 0 && chdir(name) == 0);
		state = folder_make("state");
		for (unsigned seed = i; seed < schedules(); seed += WORKERS)
			run_schedule(state, seed);
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	assert_silent();
}
END_TEST

/* What a worker says, one write each. */
struct word {
	int worker;
	pid_t pid;
	enum life life; /* NONE: about to let go */
	unsigned long ticket;
	struct wish wish;
};

static void
say(int to, struct word *word, enum life life)
{
	word->life = life;
	if (write(to, word, sizeof(*word)) != sizeof(*word))
		_exit(1);
}

/* Its ticket is the name of the file that it holds open. */
static unsigned long
own_ticket(int first)
{
	char path[64], target[256];

	for (int fd = first; fd < first + 16; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strstr(target, "/locks/0"))
			return strtoul(strrchr(target, '/') + 1, NULL, 10);
	}
	return 0;
}

static _Noreturn void
work(int state, int to, struct word *word, unsigned seed)
{
	struct lock *lock;
	bool granted;

	word->wish = random_wish(&seed);
	lock = open_wish(state, word->wish);
	if (!lock)
		_exit(1);
	granted = lock_try(lock);
	word->ticket = own_ticket(to + 1);
	if (!granted && word->ticket)
		say(to, word, WAITS);
	while (!granted) {
		struct pollfd fd = { .fd = lock_fd(lock), .events = POLLIN };

		poll(&fd, 1, lock_timeout(lock));
		granted = lock_try(lock);
	}
	word->ticket = own_ticket(to + 1);
	say(to, word, HOLDS);
	if (rand_r(&seed) % 3 == 0)
		sched_yield();
	say(to, word, NONE);
	lock_close(lock);
	_exit(0);
}

static pid_t
hire(int state, int to, int worker, unsigned seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct word word = { .worker = worker, .pid = getpid() };

		work(state, to, &word, seed);
	}
	return pid;
}

/* A word counts unless its worker was killed before we read it. */
static bool
follow(struct claim *claims, const pid_t *pids, const struct word *word)
{
	struct claim *it = &claims[word->worker];

	if (word->pid != pids[word->worker])
		return false;
	it->ticket = word->ticket;
	it->wish = word->wish;
	if (word->life == HOLDS) {
		ck_assert_msg(fits(claims, WORKERS, it, false), "%lu met another", it->ticket);
		ck_assert_msg(fits(claims, WORKERS, it, true), "%lu has overtaken", it->ticket);
	}
	it->life = word->life;
	return it->life == NONE;
}

START_TEST(locks_hold_among_processes_that_die)
{
	int state = folder_make("state"), ends[2];
	struct claim claims[WORKERS] = { 0 };
	pid_t pids[WORKERS];
	unsigned done = 0, seed = 1, deaths = 0;
	struct word word;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	for (int i = 0; i < WORKERS; i++)
		pids[i] = hire(state, ends[1], i, seed++);
	while (done < schedules()) {
		struct pollfd fd = { .fd = ends[0], .events = POLLIN };
		int victim = rand_r(&seed) % WORKERS;

		ck_assert_msg(poll(&fd, 1, 100000) == 1, "nobody gets on after %u", done);
		ck_assert_int_eq(read(ends[0], &word, sizeof(word)), sizeof(word));
		if (follow(claims, pids, &word)) {
			done++;
			victim = word.worker;
		} else if (rand_r(&seed) % 30) {
			continue;
		} else {
			/* It holds nothing from now on: others may already be told so. */
			claims[victim].life = NONE;
			kill(pids[victim], SIGKILL);
			deaths++;
		}
		ck_assert_int_eq(waitpid(pids[victim], NULL, 0), pids[victim]);
		pids[victim] = hire(state, ends[1], victim, seed++);
	}
	for (int i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ck_assert_uint_gt(deaths, done / 1000);
	close(ends[0]);
	close(ends[1]);
	close(state);
	assert_silent();
}
END_TEST

Suite *
check_contest_suite(void)
{
	Suite *suite = suite_create("contest");
	TCase *tc = support_case(suite, "model");

	tcase_set_timeout(tc, 300 + schedules() / 10);
	tcase_add_test(tc, claims_are_granted_as_the_model_says);
	tc = support_case(suite, "processes");
	tcase_set_timeout(tc, 300 + schedules() / 10);
	tcase_add_test(tc, locks_hold_among_processes_that_die);
	return suite;
}
