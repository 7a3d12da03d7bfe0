#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/json.h"
#include "base/util.h"
#include "session/passage.h"
#include "slots/gate.h"
#include "slots/lock.h"
#include "state/bounds.h"

/*
 * Where several sessions of one function are about to start their workers, the processors are
 * shared out among them, so many to each at least. Each would have to start all workers, one
 * session after the other; but with few workers the longest test comes too late. Of 80 projects,
 * simulated at N = 8, this lessens the worst tenth from 1.49 to 1.36 of the lower bound.
 */
enum { SHARE_LEAST = 4 };

/*
 * Tools that are narrow unless they are told of more processors, so that under nox they are. In a
 * session's first run nobody knows if to be wide would only be in the way of others.
 */
static const char *const narrow_untold[] = { "mypy" };

/* Milliseconds between two tries at the gate. Who uses processors changes from moment to moment. */
enum { TICK = 25 };

/*
 * Seconds after which a command is seen to use what it uses: workers start late. Of a command of
 * which nothing is known, so much is not waited for.
 */
#define SETTLES 2.5
#define UNKNOWN_SETTLES 1.0

/* So many times as long as it takes to find out what suffices, nobody tries again. */
#define WEIGH_PAUSE 20

/* What builds in the source tree lock; `*` in front keeps it apart from what users declare. */
#define BUILDS "*source build"

struct passage {
	struct passage_options o;
	struct gate *gate;         /* NULL: nobody waits at one */
	struct lock *build;        /* NULL unless it builds, or waits for that */
	struct ask_question asked; /* what is waited for, or was last */
	bool waiting;
	double since, started;     /* monotonic; the same by Unix time */
	unsigned others;           /* what they used then */
	json_t *waits;
	bool has_rank;
	unsigned rank;
	char command[sizeof(((struct ask_question *)NULL)->name)]; /* that was let go last, or "" */
	double due;                /* when the sampler's next look was due at the last call */
	double looked;             /* when that was, monotonic */
	unsigned wide_looks;       /* in a row, that saw several threads of the last command */
	double settled;            /* when what it uses is seen, if it may be wide; else 0 */
	unsigned last;             /* threads of it at the last look; 0: there was none */
	unsigned used, told;       /* of it by two looks in a row; what others were told of that */
	unsigned share;            /* of the processors, for the command that asks, or asked last */
	unsigned weighed;          /* others' most when it was weighed last; 0: never */
	bool suffices;             /* the answer: what they leave does */
	double weighs;             /* it may be weighed again then */
};

/*
 * What the session uses at most from now on; 0: nobody knows. Who is told of a part takes that
 * number, if no other command of the session has been seen to be wide.
 */
static unsigned
most_of(const struct passage *passage)
{
	const struct learned *known = passage->o.learned;

	if (!known->known || known->told < passage->o.told)
		return 0;
	if (known->width <= 1)
		return 1;
	return passage->share < passage->o.told && json_array_size(known->wide) == 1 ?
	    passage->share : 0;
}

struct passage *
passage_open(const struct passage_options *options)
{
	struct passage *passage = xcalloc(1, sizeof(*passage));

	*passage = (struct passage){ .o = *options, .gate = turn_gate(options->turn),
		.waits = json_array(), .share = options->told };
	if (passage->gate && options->told > 1)
		gate_belong(passage->gate, options->function);
	if (passage->gate)
		gate_use_at_most(passage->gate, most_of(passage));
	return passage;
}

void
passage_close(struct passage *passage)
{
	if (!passage)
		return;
	lock_close(passage->build);
	json_decref(passage->waits);
	free(passage);
}

/* What sessions of one function tell each other of is that command. The caller frees. */
static char *
subject(const struct passage *passage, const char *command)
{
	return xasprintf("%s %s", passage->o.function, command);
}

/* What others of the function have told of the command that asks; 0: nothing. */
static unsigned
noted_of_asked(const struct passage *passage)
{
	char *about = subject(passage, passage->asked.name);
	unsigned noted = gate_noted(passage->gate, about);

	free(about);
	return noted;
}

/* The processors that a command may use of which history knows nothing; others may know more. */
static unsigned
need_of_unknown(const struct passage *passage, unsigned most)
{
	unsigned noted;

	if (passage->asked.kind == ASK_PLAIN)
		return 1;
	noted = noted_of_asked(passage);
	return noted > 0 ? at_most(noted, most) : most;
}

/* Has the command that asks used several processors when the session was last seen? */
static bool
was_wide(const struct passage *passage)
{
	const struct learned *known = passage->o.learned;

	return known->known && json_list_has(known->wide, passage->asked.name);
}

/* Are commands like this one known to use several processors? */
static bool
is_known_to_be_wide(const struct passage *passage)
{
	const struct learned *known = passage->o.learned;

	if (passage->asked.kind == ASK_PLAIN)
		return false;
	if (noted_of_asked(passage) > 1)
		return true;
	return passage->asked.kind == ASK_WIDE ? known->known && known->width > 1 :
						 was_wide(passage);
}

/* How many processors the command is told of, as one of several of its function. */
static unsigned
share_of_sibling(const struct passage *passage)
{
	unsigned told = passage->o.told, share;

	if (told <= SHARE_LEAST || !is_known_to_be_wide(passage))
		return told;
	share = told / (1 + gate_count_siblings(passage->gate));
	return share > SHARE_LEAST ? share : SHARE_LEAST;
}

/*
 * The processors that a command may come to use which is told of so many. What the session used
 * when it was last seen counts, if it was told as many as now: of what was narrow then nothing is
 * feared, unless it is known to be wide. That may have been too short to be seen. A command that
 * starts more than there are processors waits for no more than those: it would wait until all
 * others have ended.
 */
static unsigned
need_of(const struct passage *passage, unsigned told)
{
	const struct ask_question *asked = &passage->asked;
	const struct learned *known = passage->o.learned;
	unsigned most = asked->processes > 0 ? at_most(asked->processes, told) : told;

	if (!known->known || (known->told < told && !was_wide(passage)))
		return need_of_unknown(passage, most);
	if (known->width <= 1)
		return asked->kind == ASK_WIDE ? most : 1;
	if (asked->kind != ASK_WIDE && !was_wide(passage))
		return 1;
	return known->told < told ? most : at_most(known->width, most);
}

/*
 * What others come to use beside the command, or 0 if that is not known. Then each of two of one
 * function has a half.
 */
static unsigned
most_of_others(const struct passage *passage)
{
	unsigned most = gate_most_of_others(passage->gate), all = passage->o.told;

	return most == 0 && gate_count_siblings(passage->gate) > 0 ? all - all / 2 : most;
}

/* How many it is told of if its session has not run before. share: as one of its function. */
static unsigned
share_of_unknown(const struct passage *passage, unsigned share)
{
	unsigned all = passage->o.told, others = gate_load_of_others(passage->gate);

	for (size_t i = 0; i < countof(narrow_untold); i++)
		if (!strcmp(passage->asked.name, narrow_untold[i]))
			return others < all ? at_most(all - others, share) : 1;
	return share;
}

/* Would what others leave do? In a run of thousands of sessions that takes a while to find out. */
static void
weigh(struct passage *passage, unsigned others)
{
	double begun = clock_monotonic(), now;

	passage->suffices = passage->o.suffices(passage->o.data, passage->o.told - others);
	passage->weighed = others;
	now = clock_monotonic();
	passage->weighs = now + (now - begun) * WEIGH_PAUSE;
}

/*
 * How many processors the command is told of: those that others leave, if earlier runs tell that
 * nothing is lost by that. One that has a number of its own does not look what it is told.
 */
static unsigned
share_of(struct passage *passage)
{
	unsigned all = passage->o.told, share, need, others;

	if (passage->asked.processes > 0)
		return all;
	share = share_of_sibling(passage);
	if (!passage->o.learned->known)
		return share_of_unknown(passage, share);
	need = need_of(passage, share);
	if (need <= 1)
		return share;
	others = most_of_others(passage);
	if (others == 0 || others >= all || others + need <= all)
		return share;
	if (others != passage->weighed && clock_monotonic() >= passage->weighs)
		weigh(passage, others);
	return passage->weighed == others && passage->suffices ? all - others : share;
}

/* Why the command is told of fewer processors than there are. */
static char *
words_of_share(const struct passage *passage)
{
	unsigned siblings = gate_count_siblings(passage->gate);

	return siblings > 0 && gate_most_of_others(passage->gate) == 0 ?
	    xasprintf("%u sessions of its function shared %u", 1 + siblings, passage->o.told) :
	    xasprintf("others had the rest of %u", passage->o.told);
}

/* It goes. The session was told of the least that one of its commands was. */
static void
let_go(struct passage *passage)
{
	struct record *record = passage->o.record;

	if (passage->asked.kind == ASK_WIDE || is_known_to_be_wide(passage))
		gate_belong(passage->gate, NULL);
	if (record->told > passage->share) {
		record->told = passage->share;
		free(record->few);
		record->few = words_of_share(passage);
	}
	gate_use_at_most(passage->gate, most_of(passage));
}

static bool
is_free_to_go(struct passage *passage)
{
	struct gate_need need = { .processors = need_of(passage, passage->share),
		.settles = SETTLES, .known = passage->o.learned->known };

	/* Others may have told meanwhile that it is narrow: it is in nobody's way any more. */
	if (need.processors <= 1) {
		gate_leave(passage->gate);
		return true;
	}
	if (passage->asked.kind == ASK_SIBLING && !passage->o.learned->known)
		need.settles = UNKNOWN_SETTLES;
	if (!passage->has_rank)
		passage->rank = passage->o.rank(passage->o.data);
	passage->has_rank = true;
	need.rank = passage->rank;
	if (!gate_try(passage->gate, &need))
		return false;
	passage->settled = clock_monotonic() + need.settles;
	return true;
}

static bool
may_pass_gate(struct passage *passage)
{
	if (!passage->gate || passage->o.told <= 1)
		return true;
	passage->share = share_of(passage);
	if (!is_free_to_go(passage))
		return false;
	let_go(passage);
	return true;
}

/* A build that cannot be locked is not kept waiting for ever. */
static bool
may_build(struct passage *passage)
{
	/* Who runs alone among those that claim something would wait for himself. */
	if (turn_is_alone(passage->o.turn))
		return true;
	if (!passage->build) {
		json_t *claims = json_pack("[{s:s,s:s}]", "resource", BUILDS, "use", "exclusive");

		passage->build = lock_open(passage->o.state, passage->o.target, claims, true);
		json_decref(claims);
	}
	/* A build within the build of another session is part of that. */
	return lock_try(passage->build) || lock_refusal(passage->build);
}

static bool
may_go_on(struct passage *passage)
{
	return passage->asked.kind == ASK_BUILD ? may_build(passage) : may_pass_gate(passage);
}

static void
note_wait(struct passage *passage)
{
	double seconds = clock_monotonic() - passage->since;
	json_t *wait;

	if (seconds < BOUNDS_WAIT_LEAST)
		return;
	if (passage->asked.kind == ASK_BUILD)
		wait = json_pack("{s:s,s:f,s:f}", "for", "build", "seconds", seconds, "started",
		    passage->started);
	else
		wait = json_pack("{s:s,s:f,s:f,s:s,s:i,s:i}", "for", "processors", "seconds",
		    seconds, "started", passage->started, "command", passage->asked.name,
		    "needed", (int)need_of(passage, passage->share), "used", (int)passage->others);
	bounds_add_wait(passage->waits, wait);
	json_decref(wait);
}

/* Its slot is lent while it waits. It is back as soon as there is one: see passage.h. */
static void
begin_to_wait(struct passage *passage)
{
	passage->waiting = true;
	passage->since = clock_monotonic();
	passage->started = clock_now();
	passage->others = passage->gate ? gate_others(passage->gate) : 0;
	turn_lend(passage->o.turn);
}

static void
end_waiting(struct passage *passage)
{
	passage->waiting = false;
	note_wait(passage);
	turn_take_back(passage->o.turn);
}

void
passage_built(struct passage *passage)
{
	lock_close(passage->build);
	passage->build = NULL;
}

/* Sessions of the same function run such a command, too: what it has used so far is told. */
static void
tell_others(struct passage *passage)
{
	char *about;

	if (passage->settled == 0 || passage->used <= passage->told)
		return;
	about = subject(passage, passage->command);
	gate_note(passage->gate, about, passage->used);
	free(about);
	passage->told = passage->used;
}

/*
 * Whatever ran before has ended; a build is part of its command. What was too short to settle has
 * used what was seen of it, were it by one look: others of its kind need not wait to find that out.
 */
static void
end_command(struct passage *passage)
{
	bool is_short = clock_monotonic() < passage->settled;
	unsigned least = is_short && passage->last > 1 ? passage->last : 1;

	if (passage->used < least)
		passage->used = least;
	tell_others(passage);
	passage->settled = 0;
	passage->last = passage->used = passage->told = 0;
	if (passage->gate)
		gate_leave(passage->gate);
}

static void
begin_command(struct passage *passage)
{
	end_command(passage);
	strlcpy(passage->command, passage->asked.name, sizeof(passage->command));
	passage->wide_looks = 0;
}

bool
passage_ask(struct passage *passage, const struct ask_question *question, unsigned *told)
{
	bool goes;

	passage->asked = *question;
	passage->share = passage->o.told;
	passage->weighed = 0;
	if (question->kind != ASK_BUILD)
		begin_command(passage);
	goes = may_go_on(passage);
	*told = passage->share;
	if (!goes)
		begin_to_wait(passage);
	return goes;
}

bool
passage_try(struct passage *passage, unsigned *told)
{
	if (!may_go_on(passage))
		return false;
	*told = passage->share;
	end_waiting(passage);
	return true;
}

int
passage_fd(const struct passage *passage)
{
	return passage->asked.kind == ASK_BUILD && passage->build ? lock_fd(passage->build) : -1;
}

const char *
passage_awaits(const struct passage *passage)
{
	return passage->asked.kind == ASK_BUILD ? "the build of another session" :
						  "free processors";
}

int
passage_timeout(struct passage *passage)
{
	if (passage->asked.kind == ASK_BUILD && passage->build)
		return lock_timeout(passage->build);
	return TICK;
}

void
passage_give_up(struct passage *passage)
{
	if (!passage->waiting)
		return;
	if (passage->gate)
		gate_leave(passage->gate);
	if (passage->asked.kind == ASK_BUILD)
		passage_built(passage);
	end_waiting(passage);
}

void
passage_rest(struct passage *passage)
{
	passage_built(passage);
	end_command(passage);
	passage->due = 0;
	if (passage->gate)
		gate_use(passage->gate, 1);
}

/* Under the last command the session has used several processors. */
static void
note_wide(struct passage *passage)
{
	struct record *record = passage->o.record;

	if (!*passage->command || json_list_has(record->wide, passage->command))
		return;
	if (!record->wide)
		record->wide = json_array();
	json_array_append_new(record->wide, json_string(passage->command));
}

/* The part of its time that a session loses to others when so many threads want to run. */
static double
part_lost(const struct passage *passage, unsigned own, unsigned others)
{
	double processors = passage->o.processors, load = own + others;

	return own > 0 && others > 0 && load > processors ? 1 - processors / load : 0;
}

/*
 * Threads of others that run or could: of those that we count, or of anybody on this machine. We
 * are one of these ourselves.
 */
static unsigned
load_of_others(const struct passage *passage, unsigned own)
{
	unsigned counted = gate_load_of_others(passage->gate);
	unsigned all = cpus_wanted("/proc/loadavg", passage->o.processors);

	return all > own + 1 + counted ? all - own - 1 : counted;
}

/* A command tells nothing before it has settled: its workers may be about to start. */
static void
note_use(struct passage *passage, unsigned threads, double now)
{
	unsigned now_used = threads > 0 ? threads : 1, both = at_most(now_used, passage->last);

	if (both > passage->used)
		passage->used = both;
	passage->last = now_used;
	if (now >= passage->settled)
		tell_others(passage);
}

static void
note_look(struct passage *passage, const struct sampler *sampler, double since)
{
	struct record *record = passage->o.record;
	unsigned last = sampler_last(sampler);

	if (passage->gate)
		gate_use(passage->gate, sampler_in_use(sampler));
	record->width = sampler_most(sampler);
	record->memory = sampler_memory(sampler);
	/* Without a gate others are not seen. */
	if (record->crowded < 0 && passage->gate)
		record->crowded = 0;
	/* What the session does now is not what its command does, which waits. */
	if (passage->waiting)
		return;
	if (passage->gate) {
		note_use(passage, last, passage->looked + since);
		record->crowded += since * part_lost(passage, last, load_of_others(passage, last));
	}
	/* One look alone may have seen what was about to end. */
	passage->wide_looks = last > 1 ? passage->wide_looks + 1 : 0;
	if (passage->wide_looks > 1)
		note_wide(passage);
}

void
passage_see(struct passage *passage, const struct sampler *sampler)
{
	double now;

	if (sampler_due(sampler) == passage->due)
		return;
	now = clock_monotonic();
	/* The first time there is nothing to see yet. */
	if (passage->due != 0)
		note_look(passage, sampler, now - passage->looked);
	passage->due = sampler_due(sampler);
	passage->looked = now;
}

void
passage_suspended(struct passage *passage, double seconds)
{
	passage->looked += seconds;
}

json_t *
passage_waits(const struct passage *passage)
{
	return json_incref(passage->waits);
}
