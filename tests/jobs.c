#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "support.h"

static void
add_claim(struct schedule_job *job, size_t resource, enum use use, long long amount)
{
	job->claims = xreallocarray(job->claims, job->nclaims + 1, sizeof(*job->claims));
	job->claims[job->nclaims++] = (struct schedule_claim){ resource, use, amount };
}

static void
add_word(struct schedule_job *job, char *word)
{
	unsigned long long resource;
	long long amount;
	char *number;

	if (*word == '<') {
		for (word++; (number = strsep(&word, ","));)
			indices_add(&job->before, strtoul(number, NULL, 10));
	} else if (sscanf(word, "x%llu", &resource) == 1) {
		add_claim(job, resource, EXCLUSIVE, 0);
	} else if (sscanf(word, "s%llu", &resource) == 1) {
		add_claim(job, resource, SHARED, 0);
	} else if (*word == '#') {
		job->slots = (unsigned)strtoul(word + 1, NULL, 10);
	} else if (*word == '*') {
		job->demand = strtod(word + 1, NULL);
	} else if (sscanf(word, "%lld:%llu", &amount, &resource) == 2) {
		add_claim(job, resource, AMOUNT, amount);
	} else if (*word) {
		job->known = *word != '?';
		job->client = *word == '~';
		job->seconds = strtod(word + strspn(word, "?~"), NULL);
	}
}

struct schedule *
schedule_of(const char *jobs, const char *capacities)
{
	struct schedule *s = xcalloc(1, sizeof(*s));
	char *copy = xstrdup(jobs), *rest = copy, *job, *word;

	while ((job = strsep(&rest, ";"))) {
		s->jobs = xreallocarray(s->jobs, s->n + 1, sizeof(*s->jobs));
		s->jobs[s->n++] = (struct schedule_job){ 0 };
		while ((word = strsep(&job, " ")))
			add_word(&s->jobs[s->n - 1], word);
	}
	free(copy);
	copy = rest = xstrdup(capacities);
	while ((word = strsep(&rest, " "))) {
		s->capacities = xreallocarray(s->capacities, s->nresources + 1,
		    sizeof(*s->capacities));
		s->capacities[s->nresources++] = strtoll(word, NULL, 10);
	}
	free(copy);
	return s;
}

void
schedule_drop(struct schedule *s)
{
	schedule_clear(s);
	free(s);
}

double
unit_random(unsigned *seed)
{
	return rand_r(seed) / (RAND_MAX + 1.0);
}

/* From 1 to 30, as many below 5 as above. */
static double
random_seconds(unsigned *seed)
{
	double seconds = 1;

	for (int i = rand_r(seed) % 65; i > 0; i--)
		seconds *= 1.0546;
	return seconds;
}

static void
add_claims(struct schedule *s, struct schedule_job *job, const struct variety *v, unsigned *seed)
{
	for (size_t r = 0; r < s->nresources; r++) {
		if (rand_r(seed) % 100 >= (int)v->claims)
			continue;
		if (s->capacities[r] > 1)
			add_claim(job, r, AMOUNT, 1 + rand_r(seed) % (int)v->amount);
		else
			add_claim(job, r, rand_r(seed) % 2 ? EXCLUSIVE : SHARED, 0);
	}
}

struct schedule *
schedule_random(const struct variety *v, unsigned *seed)
{
	struct schedule *s = xcalloc(1, sizeof(*s));
	double size = unit_random(seed);
	size_t *places;

	if (v->skewed && rand_r(seed) % 8)
		size /= 4;
	s->n = v->least + (size_t)(size * (v->most - v->least + 1));
	s->jobs = xcalloc(s->n, sizeof(*s->jobs));
	s->nresources = (size_t)rand_r(seed) % (v->resources + 1);
	s->capacities = xcalloc(s->nresources, sizeof(*s->capacities));
	for (size_t r = 0; r < s->nresources; r++)
		s->capacities[r] = rand_r(seed) % 4 ? 1 : 4;
	/* Edges go from earlier places to later ones, so that there is no cycle. */
	places = xcalloc(s->n, sizeof(*places));
	for (size_t i = 0; i < s->n; i++) {
		size_t j = v->backward ? (size_t)rand_r(seed) % (i + 1) : i;

		places[i] = places[j];
		places[j] = i;
	}
	for (size_t i = 0; i < s->n; i++) {
		struct schedule_job *job = &s->jobs[places[i]];

		job->seconds = random_seconds(seed);
		job->known = true;
		job->slots = v->slots > 1 && rand_r(seed) % 4 == 0 ?
		    1 + (unsigned)rand_r(seed) % v->slots : 1;
		add_claims(s, job, v, seed);
		for (size_t k = 0; k < i; k++)
			if (unit_random(seed) * 100 * (double)s->n < v->edges)
				indices_add(&job->before, places[k]);
	}
	free(places);
	return s;
}
