#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "slots/balance.h"
#include "slots/ledger.h"

/* What make itself writes. */
enum { TOKEN = '+' };

struct memory {
	_Atomic int balance, least, most;
	_Atomic unsigned asked, reached; /* questions: how many, and the last that was answered */
};

struct balance {
	struct jobserver *jobserver;
	struct memory *memory;
	struct ledger ledger;
	int sockets[2]; /* of each side; -1 when it is the other one's */
	enum balance_side side;
	bool busy; /* somebody else was taking several when we tried to */
};

struct balance *
balance_open(struct jobserver *jobserver, int folder, bool owed)
{
	struct balance *balance;
	int taken_over;
	struct ledger ledger = ledger_take(folder, jobserver_number(jobserver), owed, &taken_over);

	if (owed && taken_over == 0)
		return NULL;
	balance = xcalloc(1, sizeof(*balance));
	*balance = (struct balance){ .jobserver = jobserver, .ledger = ledger,
		.sockets = { -1, -1 } };
	balance->memory = mmap(NULL, sizeof(*balance->memory), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (balance->memory == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    balance->sockets) < 0) {
		balance_close(balance);
		return NULL;
	}
	balance->memory->balance = taken_over;
	return balance;
}

static void
change(struct balance *balance, int by)
{
	balance->memory->balance += by;
	ledger_write(&balance->ledger, balance->memory->balance);
}

void
balance_close(struct balance *balance)
{
	if (!balance)
		return;
	balance_leave(balance);
	if (balance->memory != MAP_FAILED)
		munmap(balance->memory, sizeof(*balance->memory));
	free(balance);
}

void
balance_join(struct balance *balance, enum balance_side side)
{
	balance->side = side;
	fd_close(&balance->sockets[side == HELPER ? GUARD : HELPER]);
}

void
balance_leave(struct balance *balance)
{
	fd_close(&balance->sockets[HELPER]);
	fd_close(&balance->sockets[GUARD]);
	ledger_close(&balance->ledger);
}

int
balance_ledger_fd(const struct balance *balance)
{
	return balance->ledger.file;
}

int
balance_fd(const struct balance *balance)
{
	return balance->sockets[balance->side];
}

/*
 * Errors do not matter: a process that is dead shows by the end of its socket, and one whose socket
 * is full has enough to read.
 */
void
balance_send(const struct balance *balance, enum balance_word word)
{
	char byte = (char)word;

	(void)!send(balance_fd(balance), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The next word, 0 at the end, or -1 when none has come yet. */
static int
receive(const struct balance *balance, int flags)
{
	unsigned char word;
	ssize_t n;

	do
		n = recv(balance_fd(balance), &word, 1, flags);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return word;
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
}

bool
balance_await_begin(const struct balance *balance)
{
	return receive(balance, 0) == BEGIN;
}

bool
balance_drain(const struct balance *balance)
{
	int word;

	while ((word = receive(balance, MSG_DONTWAIT)) > 0)
		;
	return word < 0;
}

void
balance_ask(struct balance *balance, int least, int most)
{
	balance->memory->least = least;
	balance->memory->most = most;
	balance->memory->asked++;
	balance_send(balance, NEWS);
}

bool
balance_is_reached(const struct balance *balance)
{
	return balance->memory->reached == balance->memory->asked;
}

bool
balance_lacks_several(const struct balance *balance)
{
	return balance->memory->least - balance->memory->balance > 1;
}

bool
balance_is_busy(const struct balance *balance)
{
	return balance->busy;
}

int
balance_count(const struct balance *balance)
{
	return balance->memory->balance;
}

void
balance_give_down_to(struct balance *balance, int most)
{
	while (balance->memory->balance > most) {
		change(balance, -1);
		if (!jobserver_give(balance->jobserver, TOKEN)) {
			change(balance, 1);
			return;
		}
	}
}

bool
balance_take(struct balance *balance)
{
	if (jobserver_take(balance->jobserver) < 0)
		return false;
	change(balance, 1);
	return true;
}

/*
 * Takes as many tokens as there are, unless it sees that these are too few. Those who want several
 * try one after the other, else two of them might for ever keep half of the tokens from each other.
 */
static void
take_up_to(struct balance *balance, int least, int most)
{
	struct memory *memory = balance->memory;
	int before = memory->balance, fd = jobserver_fd(balance->jobserver), there = 0;
	bool several = least - before > 1;

	balance->busy = false;
	if (several && (ioctl(fd, FIONREAD, &there) < 0 || there < least - before))
		return;
	balance->busy = several && flock(fd, LOCK_EX | LOCK_NB) < 0;
	if (balance->busy)
		return;
	while (memory->balance < most && balance_take(balance))
		;
	if (several)
		flock(fd, LOCK_UN);
}

bool
balance_settle(struct balance *balance)
{
	struct memory *memory = balance->memory;
	/* Read first: if the helper asks anew meanwhile, this answers only the old question. */
	unsigned asked = memory->asked;
	int least = memory->least, most = memory->most;

	balance_give_down_to(balance, most);
	if (memory->balance < most)
		take_up_to(balance, least, most);
	if (memory->balance < least) {
		/* One that waits keeps nothing, not even the job that make gave it. */
		balance_give_down_to(balance, -1);
		return false;
	}
	memory->reached = asked;
	return true;
}
