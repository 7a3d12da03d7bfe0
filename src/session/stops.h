#ifndef NOXMK_SESSION_STOPS_H
#define NOXMK_SESSION_STOPS_H

/*
 * How a session was asked to end. One ^C may come twice: from the terminal, and from make, which
 * hands on the TERM that its group has got as well. Two stops that are further apart mean that
 * somebody is in a hurry. From then on a net is spread: should we hang, where no signal reaches us,
 * the kernel kills us two seconds later, and the keeper does the rest.
 */

#include <stdbool.h>
#include <time.h>

struct stops {
	char *why;     /* the first reason, or NULL; the caller frees */
	double at;     /* the time of the last one, monotonic */
	int signal;    /* that it came by, or 0 */
	bool hurried;  /* there was a second stop */
	timer_t net;   /* which kills us */
	bool has_net;
};

/*
 * A stop for that reason, which is taken over, by that signal, or 0. False if it is one that we
 * know of. All fields are 0 at first.
 */
bool stops_add(struct stops *, char *why, int signal);

/* We are about to send that signal to ourselves and others: what comes now is that stop. */
void stops_expect(struct stops *, int signal);

/* Takes the net away. */
void stops_end(struct stops *);

#endif
