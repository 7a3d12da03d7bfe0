#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "slots/ledger.h"
#include "state/runtime.h"

/* See runtime.h. */
#define LEDGER ".balance" RUNTIME_OF_NOW

/* Nobody else's file may be taken for ours, nor can a balance be more than this. */
enum { MARK = 0x6e6f786b, MOST = 4096, ENTRIES = 4096 };

struct ledger_entry {
	unsigned long long pipe;
	int balance;
	unsigned mark;
};

/* False when somebody else has it. */
static bool
lock(int file, off_t place, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = place,
		.l_len = sizeof(struct ledger_entry) };

	return fcntl(file, F_OFD_SETLK, &range) == 0;
}

/* The balance that the entry has, of whoever died; 0: it is free. */
static int
read_entry(int file, off_t place, struct ledger_entry *entry)
{
	if (pread(file, entry, sizeof(*entry), place) != (ssize_t)sizeof(*entry) ||
	    entry->mark != MARK || entry->balance < -1 || entry->balance > MOST)
		return 0;
	return entry->balance;
}

struct ledger
ledger_take(int folder, unsigned long long pipe, bool owed, int *balance)
{
	struct ledger ledger = { .pipe = pipe };
	struct ledger_entry entry;
	off_t end;

	*balance = 0;
	ledger.file = folder < 0 ? -1 : openat(folder, LEDGER,
	    O_RDWR | (owed ? 0 : O_CREAT) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	end = owed && ledger.file >= 0 ? lseek(ledger.file, 0, SEEK_END) :
					 (off_t)(ENTRIES * sizeof(entry));
	for (; ledger.file >= 0 && ledger.place < end; ledger.place += sizeof(entry)) {
		if (!lock(ledger.file, ledger.place, F_WRLCK))
			continue;
		*balance = read_entry(ledger.file, ledger.place, &entry);
		if (*balance != 0 ? entry.pipe == pipe : !owed)
			return ledger;
		lock(ledger.file, ledger.place, F_UNLCK);
	}
	*balance = 0;
	fd_close(&ledger.file);
	return ledger;
}

void
ledger_write(const struct ledger *ledger, int balance)
{
	struct ledger_entry entry = { .pipe = ledger->pipe, .balance = balance, .mark = MARK };

	if (ledger->file >= 0)
		(void)!pwrite(ledger->file, &entry, sizeof(entry), ledger->place);
}

void
ledger_close(struct ledger *ledger)
{
	fd_close(&ledger->file);
}
