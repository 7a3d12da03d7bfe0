#include "output/page.h"
#include "output/screen.h"
#include "session/tell.h"

void
tell_waits(const struct attempt_options *options, const json_t *blocker)
{
	page_begin_line(options->page);
	screen_waits(options->target, blocker);
	page_end_line(options->page);
}

void
tell_slow(const struct attempt_options *options, double seconds, int log)
{
	page_begin_line(options->page);
	screen_slow(options->target, seconds, log);
	page_end_line(options->page);
}

void
tell_retries(const struct attempt_options *options, double seconds)
{
	page_begin_line(options->page);
	screen_retries(options->record, seconds);
	page_end_line(options->page);
}
