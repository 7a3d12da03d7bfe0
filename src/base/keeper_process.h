#ifndef NOXMK_BASE_KEEPER_PROCESS_H
#define NOXMK_BASE_KEEPER_PROCESS_H

/* The keeper as a process, and what it and the helper say to each other. For keeper.c alone. */

#include "base/keeper.h"

/* Milliseconds in which a keeper has to go once it may, or is to kill first. */
enum { KEEPER_GO_PATIENCE = 300, KEEPER_KILL_PATIENCE = 4000 };

/*
 * What the keeper says: first errno, or 0 when the program was started; then, when that ends, how,
 * and whether it has left others; and if so once more when the last of these has ended. It hears
 * any message as that it may go, and says so if it stays. The end of the socket tells that the
 * other side is dead.
 *
 * A lent keeper says the same to ours. But its first message asks whether the program is still
 * wanted, and the first that it hears says so. A lender that refuses sends a text, which is less.
 */
struct keeper_message {
	int error;
	pid_t group, program; /* of the first message */
	char why[KEEPER_WHY]; /* and the lender's reason */
	bool ended; /* true but for a last message, of a lent keeper */
	struct keeper_end end;
	bool has_left, stays;
};

void keeper_tell(int socket, const struct keeper_message *);

/* 1 for a message, 0 when the other side is dead, -1 when, with MSG_DONTWAIT, nothing has come. */
int keeper_hear(int socket, struct keeper_message *, int flags);

/* Its life. socket: to the helper, whose child it is. */
_Noreturn void keeper_process_run(const struct keeper_task *, int socket);

#endif
