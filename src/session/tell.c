#include "output/page.h"
#include "output/screen.h"
#include "session/tell.h"

void
tell_waits(const struct attempt_options *options, const json_t *blocker)
{
	(void)page_begin(options->page, PAGE_SOON);
	screen_waits(options->target, blocker);
	(void)page_end(options->page, 1);
}

void
tell_slow(const struct attempt_options *options, double seconds, int log)
{
	(void)page_begin(options->page, PAGE_SOON);
	screen_slow(options->target, seconds, log);
	(void)page_end(options->page, 1);
}

void
tell_retries(const struct attempt_options *options, double seconds)
{
	(void)page_begin(options->page, PAGE_SOON);
	screen_retries(options->record, seconds);
	(void)page_end(options->page, 1);
}
