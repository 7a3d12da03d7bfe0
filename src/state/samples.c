#include "base/json.h"
#include "state/samples.h"

/*
 * Seconds of the shortest span. A power of two, and so are all others: the ends of spans are exact.
 * Nobody looks more often for long (slots/sampler.h).
 */
#define SHORTEST 0.25

/* Of what is written more digits would be noise: the kernel counts processors by 10 ms. */
#define CPU_DIGITS 100
#define MIB_DIGITS 10

/* No session has used more of anything: who says so is not to be summed up. */
#define MOST 1e9

#define MIB 1048576.0

static struct sample
join(const struct sample *a, const struct sample *b)
{
	return (struct sample){ .cpu = a->cpu + b->cpu,
		.width = a->width > b->width ? a->width : b->width,
		.memory = a->memory > b->memory ? a->memory : b->memory };
}

/* Two spans become one. */
static void
halve(struct samples *samples)
{
	for (size_t i = 0; i < SAMPLES_MOST; i++)
		samples->v[i] = i < SAMPLES_MOST / 2 ?
		    join(&samples->v[2 * i], &samples->v[2 * i + 1]) : (struct sample){ 0 };
	samples->every *= 2;
}

void
samples_add(struct samples *samples, double until, const struct sample *used)
{
	double whole = until - samples->until;

	if (samples->every == 0)
		samples->every = SHORTEST;
	while (until > SAMPLES_MOST * samples->every)
		halve(samples);
	while (samples->until < until) {
		size_t at = (size_t)(samples->until / samples->every);
		double end = (double)(at + 1) * samples->every;
		struct sample part = *used;

		end = end < until ? end : until;
		part.cpu *= (end - samples->until) / whole;
		samples->v[at] = join(&samples->v[at], &part);
		samples->until = end;
	}
}

/* Of what is not negative. */
static unsigned long long
nearest(double value)
{
	return (unsigned long long)(value + 0.5);
}

static void
append(json_t *list, double value, double digits)
{
	json_array_append_new(list, json_real((double)nearest(value * digits) / digits));
}

json_t *
samples_json(const struct samples *samples)
{
	json_t *cpu, *width, *mib;
	struct samples rest = *samples;
	size_t n;

	if (samples->until < SHORTEST || !(samples->until <= SAMPLES_MOST * samples->every))
		return NULL;
	n = nearest(samples->until / samples->every);
	cpu = json_array();
	width = json_array();
	mib = json_array();
	if (n < SAMPLES_MOST && (double)n * samples->every < samples->until)
		rest.v[n - 1] = join(&rest.v[n - 1], &rest.v[n]);
	for (size_t i = 0; i < n; i++) {
		double from = (double)i * samples->every;
		double to = i + 1 < n ? from + samples->every : samples->until;

		append(cpu, rest.v[i].cpu / (to - from), CPU_DIGITS);
		json_array_append_new(width, json_integer(rest.v[i].width));
		append(mib, (double)rest.v[i].memory / MIB, MIB_DIGITS);
	}
	return json_pack("{s:f,s:o,s:o,s:o}", "every", samples->every, "cpu", cpu, "width", width,
	    "mib", mib);
}

size_t
samples_count(const json_t *samples)
{
	return json_array_size(json_object_get(samples, "cpu"));
}

bool
samples_are_sound(const json_t *samples)
{
	static const char *const keys[] = { "cpu", "width", "mib" };
	double every = json_number(samples, "every");
	size_t n = samples_count(samples), i;
	json_t *value;

	if (!(every >= SHORTEST && every <= MOST) || n == 0 || n > SAMPLES_MOST)
		return false;
	for (size_t key = 0; key < countof(keys); key++) {
		const json_t *list = json_object_get(samples, keys[key]);

		if (json_array_size(list) != n)
			return false;
		json_array_foreach(list, i, value)
			if (!json_is_number(value) || !(json_number_value(value) >= 0 &&
			    json_number_value(value) <= MOST))
				return false;
	}
	json_array_foreach(json_object_get(samples, "width"), i, value)
		if (!json_is_integer(value))
			return false;
	return true;
}

struct samples_span
samples_span(const json_t *samples, size_t at, double duration)
{
	double every = json_number(samples, "every"), from = every * (double)at;
	bool last = at + 1 == samples_count(samples);

	return (struct samples_span){ .from = from,
		.to = last && duration > from ? duration : from + every,
		.cpu = json_number_value(json_array_get(json_object_get(samples, "cpu"), at)),
		.mib = json_number_value(json_array_get(json_object_get(samples, "mib"), at)),
		.width = (unsigned)json_integer_value(json_array_get(
		    json_object_get(samples, "width"), at)) };
}
