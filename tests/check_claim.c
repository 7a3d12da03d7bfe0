#include <stdlib.h>
#include <string.h>

#include "plan/claim.h"
#include "plan/planner.h"
#include "support.h"

/* A plan of sessions that claim nothing, and what is listed in [tool.noxmk.resources]. */
struct fixture {
	struct facts *facts;
	struct plan *plan;
	struct config *config;
	struct claims *claims;
};

static struct fixture
fixture_of(const char *sessions, const char *resources)
{
	static const struct strings nothing;
	struct fixture f = { .facts = facts_of(sessions, "[]") };
	char *text = xasprintf("{'resources':%s}", resources);
	json_t *table = json_of(text);

	/* Planning claims environments; they are to be claimed by the test. */
	for (size_t i = 0; i < f.facts->n; i++)
		f.facts->sessions[i].envdir = NULL;
	f.plan = planner_make(f.facts, &nothing);
	f.config = config_parse(table);
	ck_assert_ptr_nonnull(f.config);
	ck_assert_uint_eq(f.plan->nresources, 0);
	f.claims = claims_new(f.plan, f.config);
	free(text);
	json_decref(table);
	return f;
}

static void
fixture_free(struct fixture *f)
{
	claims_free(f->claims);
	config_free(f->config);
	plan_free(f->plan);
	facts_free(f->facts);
}

/* "db! docs+ memory=2": what the session claims; ! exclusive, + shared. */
static void
assert_claims(const struct fixture *f, size_t session, const char *wanted)
{
	const struct plan_session *s = &f->plan->sessions[session];
	struct buffer text = { 0 };

	buffer_addstr(&text, "");
	for (size_t i = 0; i < s->nclaims; i++) {
		const struct plan_claim *claim = &s->claims[i];

		buffer_printf(&text, "%s%s", i ? " " : "",
		    f->plan->resources[claim->resource].name);
		if (claim->use == AMOUNT)
			buffer_printf(&text, "=%lld", claim->amount);
		else
			buffer_addstr(&text, claim->use == EXCLUSIVE ? "!" : "+");
		ck_assert_int_eq(claim->amount > 0, claim->use == AMOUNT);
	}
	ck_assert_str_eq(text.data, wanted);
	buffer_free(&text);
}

static int
use(const struct fixture *f, size_t session, const char *name, long long amount, const char *by)
{
	char *copy = xstrdup(name);
	int result = claim_use(f->claims, session, &(struct config_use){ copy, amount }, by);

	free(copy);
	return result;
}

#define AB "[{'name':'a'},{'name':'b'}]"

START_TEST(listed_resources_keep_order_and_capacity)
{
	struct fixture f = fixture_of(AB, "{'m':'8K','gpu':1,'n':2}");

	ck_assert_uint_eq(f.plan->nresources, 3);
	ck_assert_str_eq(f.plan->resources[0].name, "m");
	ck_assert_int_eq(f.plan->resources[0].capacity, 8192);
	ck_assert_int_eq(f.plan->resources[1].capacity, 1);
	ck_assert_str_eq(f.plan->resources[2].name, "n");
	fixture_free(&f);
}
END_TEST

/* A resource is made by the first claim to it, and found by the others. */
START_TEST(a_resource_is_one_for_all_sessions)
{
	struct fixture f = fixture_of(AB, "{}");

	ck_assert_int_eq(use(&f, 0, "db", 0, "x"), 0);
	ck_assert_int_eq(claim_read(f.claims, 1, "db", "y"), 0);
	ck_assert_int_eq(claim_read(f.claims, 1, "docs", "z"), 0);
	ck_assert_uint_eq(f.plan->nresources, 2);
	ck_assert_int_eq(f.plan->resources[0].capacity, 1);
	assert_claims(&f, 0, "db!");
	assert_claims(&f, 1, "db+ docs+");
	ck_assert_str_eq(f.plan->sessions[1].claims[0].by, "y");
	fixture_free(&f);
}
END_TEST

/* Claims of one session to one resource, in turn: < reads, > uses; what is left, and by which. */
static const struct {
	const char *turns, *claim, *by;
} repeated[] = {
	{ ">", "r!", "0" }, { "<", "r+", "0" }, { "><", "r!", "0" }, { "<>", "r!", "1" },
	{ "<<", "r+", "0" }, { ">>", "r!", "1" }, { "><><", "r!", "2" },
};

START_TEST(exclusive_use_wins_over_shared)
{
	struct fixture f = fixture_of(AB, "{}");

	for (size_t i = 0; repeated[_i].turns[i]; i++) {
		char by[] = { (char)('0' + i), '\0' };

		if (repeated[_i].turns[i] == '>')
			ck_assert_int_eq(use(&f, 0, "r", 0, by), 0);
		else
			ck_assert_int_eq(claim_read(f.claims, 0, "r", by), 0);
	}
	assert_claims(&f, 0, repeated[_i].claim);
	ck_assert_str_eq(f.plan->sessions[0].claims[0].by, repeated[_i].by);
	assert_claims(&f, 1, "");
	fixture_free(&f);
}
END_TEST

/* What `uses` says of a resource with that capacity (0: it is not listed). */
static const struct {
	long long capacity, amount;
	const char *claim, *message;
} amounts[] = {
	{ 0, 0, "r!", NULL },
	{ 1, 0, "r!", NULL },
	{ 1, 1, "r!", NULL },
	{ 4, 0, "r=4", NULL },
	{ 4, 1, "r=1", NULL },
	{ 4, 4, "r=4", NULL },
	{ 0, 1, "", "pyproject.toml: BY: an amount of \"r\", which has no capacity: give it one in "
	  "[tool.noxmk.resources]\n" },
	{ 1, 2, "", "pyproject.toml: BY: 2 of \"r\", which has only 1\n" },
	{ 4, 5, "", "pyproject.toml: BY: 5 of \"r\", which has only 4\n" },
};

START_TEST(an_amount_needs_the_capacity)
{
	char *resources = amounts[_i].capacity ? xasprintf("{'r':%lld}", amounts[_i].capacity) :
						 xstrdup("{}");
	struct fixture f = fixture_of(AB, resources);

	ck_assert_int_eq(use(&f, 0, "r", amounts[_i].amount, "BY"), amounts[_i].message ? -1 : 0);
	assert_claims(&f, 0, amounts[_i].claim);
	if (amounts[_i].message)
		assert_warned(amounts[_i].message);
	else
		assert_silent();
	free(resources);
	fixture_free(&f);
}
END_TEST

START_TEST(of_two_amounts_the_later_counts)
{
	struct fixture f = fixture_of(AB, "{'m':8,'n':2}");

	ck_assert_int_eq(use(&f, 0, "m", 5, "first"), 0);
	ck_assert_int_eq(use(&f, 0, "n", 0, "other"), 0);
	ck_assert_int_eq(use(&f, 0, "m", 2, "second"), 0);
	assert_claims(&f, 0, "m=2 n=2");
	ck_assert_str_eq(f.plan->sessions[0].claims[0].by, "second");
	fixture_free(&f);
}
END_TEST

START_TEST(nobody_reads_a_counted_resource)
{
	struct fixture f = fixture_of(AB, "{'m':2,'gpu':1}");

	ck_assert_int_eq(claim_read(f.claims, 0, "gpu", "BY"), 0);
	assert_silent();
	ck_assert_int_eq(claim_read(f.claims, 0, "m", "BY"), -1);
	assert_warned("pyproject.toml: BY: \"m\" is a counted resource: its users take amounts of "
	    "it, uses = [\"m:1\"]\n");
	assert_claims(&f, 0, "gpu+");
	fixture_free(&f);
}
END_TEST

START_TEST(all_others_wait_for_who_is_alone)
{
	struct fixture f = fixture_of("[{'name':'a'},{'name':'b'},{'name':'c'},{'name':'d'}]",
		"{}");
	static const char *const reasons[] = { "first of b", "first", "first of b", "second" };

	ck_assert_int_eq(use(&f, 0, "db", 0, "uses"), 0);
	claim_everything(f.claims, 1, "first");
	claim_everything(f.claims, 3, "second");
	assert_claims(&f, 0, "db!");
	claim_the_rest(f.claims);
	assert_claims(&f, 0, "db! *+");
	assert_claims(&f, 1, "*!");
	assert_claims(&f, 2, "*+");
	assert_claims(&f, 3, "*!");
	for (size_t i = 0; i < countof(reasons); i++) {
		const struct plan_session *s = &f.plan->sessions[i];

		ck_assert_str_eq(s->claims[s->nclaims - 1].by, reasons[i]);
	}
	fixture_free(&f);
}
END_TEST

START_TEST(nobody_waits_where_nobody_is_alone)
{
	struct fixture f = fixture_of(AB, "{}");

	claim_the_rest(f.claims);
	assert_claims(&f, 0, "");
	assert_claims(&f, 1, "");
	ck_assert_uint_eq(f.plan->nresources, 0);
	fixture_free(&f);
}
END_TEST

/* The folders of a, b and c, and what these claim. */
static const struct {
	const char *folders[3], *claims[3];
} environments[] = {
	{ { NULL, NULL, NULL }, { "", "", "" } },
	{ { "/p/.nox/a", NULL, "/p/.nox/c" }, { "env:a!", "", "env:c!" } },
	{ { "/p/e", "/p/e", "/p/f" }, { "env:e!", "env:e!", "env:f!" } },
	/* The last names of two folders are the same: only the first has the short one. */
	{ { "/p/e", "/q/e", "/p/e" }, { "env:e!", "env:/q/e!", "env:e!" } },
	{ { "/", "/p/", "/p/e/" }, { "env:/!", "env:/p/!", "env:/p/e/!" } },
	/* Control characters would end a line of a lock or a message. */
	{ { "/p/a\nb", "/p/\x7f", "/p/\xc3\xa4" }, { "env:a?b!", "env:?!", "env:\xc3\xa4!" } },
};

START_TEST(an_environment_is_for_one_at_a_time)
{
	struct fixture f = fixture_of("[{'name':'a'},{'name':'b'},{'name':'c'}]", "{}");

	for (size_t i = 0; i < 3; i++)
		f.facts->sessions[i].envdir = environments[_i].folders[i];
	claim_environments(f.claims);
	for (size_t i = 0; i < 3; i++) {
		assert_claims(&f, i, environments[_i].claims[i]);
		if (environments[_i].folders[i])
			ck_assert_str_eq(f.plan->sessions[i].claims[0].by, "its environment");
	}
	fixture_free(&f);
}
END_TEST

START_TEST(there_may_be_no_claims_to_free)
{
	claims_free(NULL);
	assert_silent();
}
END_TEST

Suite *
check_claim_suite(void)
{
	Suite *suite = suite_create("claim");
	TCase *tc = support_case(suite, "claim");

	tcase_add_test(tc, listed_resources_keep_order_and_capacity);
	tcase_add_test(tc, a_resource_is_one_for_all_sessions);
	tcase_add_loop_test(tc, exclusive_use_wins_over_shared, 0, countof(repeated));
	tcase_add_loop_test(tc, an_amount_needs_the_capacity, 0, countof(amounts));
	tcase_add_test(tc, of_two_amounts_the_later_counts);
	tcase_add_test(tc, nobody_reads_a_counted_resource);
	tcase_add_test(tc, all_others_wait_for_who_is_alone);
	tcase_add_test(tc, nobody_waits_where_nobody_is_alone);
	tcase_add_loop_test(tc, an_environment_is_for_one_at_a_time, 0, countof(environments));
	tcase_add_test(tc, there_may_be_no_claims_to_free);
	return suite;
}
