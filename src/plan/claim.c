#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "plan/claim.h"

#define EVERYTHING "*"

struct claims {
	struct plan *plan;
	json_t *known; /* name -> position in plan.resources */
	size_t nlisted; /* the first ones, whose capacity the configuration tells */
	char *lone; /* which session runs alone, and why: what all others wait for */
};

static size_t
find_resource(struct claims *c, const char *name)
{
	struct plan *plan = c->plan;
	json_t *at = json_object_get(c->known, name);

	if (at)
		return (size_t)json_integer_value(at);
	plan->resources = xreallocarray(plan->resources, plan->nresources + 1,
	    sizeof(*plan->resources));
	plan->resources[plan->nresources] = (struct plan_resource){ xstrdup(name), 1 };
	json_object_set_new(c->known, name, json_integer((json_int_t)plan->nresources));
	return plan->nresources++;
}

struct claims *
claims_new(struct plan *plan, const struct config *config)
{
	struct claims *c = xcalloc(1, sizeof(*c));

	*c = (struct claims){ .plan = plan, .known = json_object(),
		.nlisted = config->nresources };
	for (size_t i = 0; i < config->nresources; i++) {
		size_t at = find_resource(c, config->resources[i].name);

		plan->resources[at].capacity = config->resources[i].capacity;
	}
	return c;
}

void
claims_free(struct claims *c)
{
	if (!c)
		return;
	json_decref(c->known);
	free(c->lone);
	free(c);
}

static void
add_claim(struct claims *c, size_t session, struct plan_claim claim, const char *by)
{
	struct plan_session *s = &c->plan->sessions[session];
	struct plan_claim *old = NULL;

	for (size_t i = 0; i < s->nclaims && !old; i++)
		if (s->claims[i].resource == claim.resource)
			old = &s->claims[i];
	if (old && claim.use == SHARED)
		return;
	if (old) {
		free(old->by);
	} else {
		s->claims = xreallocarray(s->claims, s->nclaims + 1, sizeof(*s->claims));
		old = &s->claims[s->nclaims++];
	}
	*old = claim;
	old->by = xstrdup(by);
}

int
claim_use(struct claims *c, size_t session, const struct config_use *use, const char *by)
{
	size_t resource = find_resource(c, use->name);
	long long capacity = c->plan->resources[resource].capacity;
	struct plan_claim claim = { .resource = resource, .use = EXCLUSIVE };

	if (use->amount > 0 && resource >= c->nlisted) {
		warnx(CONFIG_FILE ": %s: an amount of \"%s\", which has no capacity: give it "
		      "one in [tool.noxmk.resources]", by, use->name);
		return -1;
	}
	if (use->amount > capacity) {
		warnx(CONFIG_FILE ": %s: %lld of \"%s\", which has only %lld", by, use->amount,
		    use->name, capacity);
		return -1;
	}
	if (capacity > 1) {
		claim.use = AMOUNT;
		claim.amount = use->amount ? use->amount : capacity;
	}
	add_claim(c, session, claim, by);
	return 0;
}

int
claim_read(struct claims *c, size_t session, const char *name, const char *by)
{
	size_t resource = find_resource(c, name);

	if (c->plan->resources[resource].capacity > 1) {
		warnx(CONFIG_FILE ": %s: \"%s\" is a counted resource: its users take amounts of "
		      "it, uses = [\"%s:1\"]", by, name, name);
		return -1;
	}
	add_claim(c, session, (struct plan_claim){ .resource = resource, .use = SHARED }, by);
	return 0;
}

void
claim_everything(struct claims *c, size_t session, const char *by)
{
	size_t resource = find_resource(c, EVERYTHING);

	add_claim(c, session, (struct plan_claim){ .resource = resource, .use = EXCLUSIVE }, by);
	if (!c->lone)
		c->lone = xasprintf("%s of %s", by, c->plan->sessions[session].target);
}

void
claim_the_rest(struct claims *c)
{
	struct plan_claim claim = { .use = SHARED };

	if (!c->lone)
		return;
	claim.resource = find_resource(c, EVERYTHING);
	for (size_t i = 0; i < c->plan->n; i++)
		add_claim(c, i, claim, c->lone);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* The resource of a folder: env:lint, or env:PATH if another folder has that last name already. */
static char *
environment_name(json_t *folders, const char *envdir)
{
	const char *first = json_string_value(json_object_get(folders, base_name(envdir)));
	char *name = xasprintf("env:%s", !strcmp(first, envdir) ? base_name(envdir) : envdir);

	for (char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a line end would break the lines of locks and messages */
	return name;
}

void
claim_environments(struct claims *c)
{
	json_t *folders = json_object(); /* last name -> the first folder that has it */

	for (size_t i = 0; i < c->plan->n; i++) {
		const char *envdir = c->plan->sessions[i].facts->envdir;
		struct plan_claim claim = { .use = EXCLUSIVE };
		char *name;

		if (!envdir)
			continue;
		if (!json_object_get(folders, base_name(envdir)))
			json_object_set_new(folders, base_name(envdir), json_string(envdir));
		name = environment_name(folders, envdir);
		claim.resource = find_resource(c, name);
		add_claim(c, i, claim, "its environment");
		free(name);
	}
	json_decref(folders);
}
