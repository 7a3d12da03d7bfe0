/*
 * A program for tests to start: its arguments are verbs, done one after another.
 *
 *   exit N             ends with that code            die SIG       dies of that signal
 *   print TEXT         a line on standard output      err TEXT      one on standard error
 *   flood N            N bytes on standard output     touch FILE    makes the file
 *   copy FROM TO       copies a file                  env NAME      prints NAME=VALUE or NAME unset
 *   give FROM NAME     copies it to where the variable NAME says
 *   ignore SIG         ignores that signal            signal-helper SIG  (noxmk, that is)
 *   interrupted-by-helper              sends it SIGINT and waits for its own
 *   ready              says so on standard output     pause         waits for a signal's death
 *   stopped SIG        stops itself, and the helper gets that signal then
 *   wait-for FILE      waits until that file is there
 *   fds                prints its open descriptors    mask          prints blocked signals
 *   stdin              prints what it is              group         prints whether it leads a group
 *   grandchild FILE    leaves a process behind, which holds standard output, its pid in FILE
 *   daemon FILE        the same, but it has a terminal session of its own and no parent
 *   listing ALL SOME   prints the first file when -k is among the arguments, else the second
 *   report TEXT        writes TEXT to the file behind --report, with ' for "
 *   -u                 python's option: what follows -- are the verbs
 *
 * Signals are numbers. Exit code 99: an unknown verb or a failure of the helper itself.
 */

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_ODD = 99, POLL_MAX = 20000 };

static char **all;

static const char *
after_option(const char *option)
{
	for (char **word = all; *word; word++)
		if (!strcmp(*word, option))
			return word[1] ? word[1] : "";
	return NULL;
}

static void
do_die(char **words)
{
	signal(atoi(words[0]), SIG_DFL);
	raise(atoi(words[0]));
}

static void
do_exit(char **words)
{
	exit(atoi(words[0]));
}

static void
do_print(char **words)
{
	puts(words[0]);
	fflush(stdout);
}

static void
do_err(char **words)
{
	fprintf(stderr, "%s\n", words[0]);
}

static void
do_flood(char **words)
{
	for (long left = atol(words[0]); left > 0; left--)
		putchar(left % 64 == 0 ? '\n' : 'x');
	fflush(stdout);
}

static void
do_touch(char **words)
{
	int fd = open(words[0], O_WRONLY | O_CREAT, 0666);

	if (fd < 0)
		err(EXIT_ODD, "%s", words[0]);
	close(fd);
}

static void
copy(const char *from, FILE *out)
{
	FILE *in = fopen(from, "r");
	int c;

	if (!in || !out)
		err(EXIT_ODD, "%s", from);
	while ((c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
}

static void
do_copy(char **words)
{
	FILE *out = fopen(words[1], "w");

	copy(words[0], out);
	fclose(out);
}

/* As copy, but TO is what that variable says. */
static void
do_give(char **words)
{
	FILE *out = fopen(getenv(words[1]), "w");

	copy(words[0], out);
	fclose(out);
}

static void
do_env(char **words)
{
	const char *value = getenv(words[0]);

	if (value)
		printf("%s=%s\n", words[0], value);
	else
		printf("%s unset\n", words[0]);
	fflush(stdout);
}

static void
do_ignore(char **words)
{
	signal(atoi(words[0]), SIG_IGN);
}

/* Of noxmk: between it and us is its keeper. */
static pid_t
helper(void)
{
	char name[64];
	int parent = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)getppid());
	file = fopen(name, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		exit(EXIT_ODD);
	fclose(file);
	return parent;
}

static void
do_signal_helper(char **words)
{
	kill(helper(), atoi(words[0]));
}

static void
do_interrupted_by_helper(char **words)
{
	sigset_t set;
	int signal;

	(void)words;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(helper(), SIGINT);
	sigwait(&set, &signal);
}

static void
do_ready(char **words)
{
	(void)words;
	puts("ready");
	fflush(stdout);
}

static void
do_pause(char **words)
{
	(void)words;
	alarm(600); /* a test that forgot us */
	for (;;)
		pause();
}

/* The letter of proc(5): R, S, T … */
static char
state_of(pid_t pid)
{
	char name[64], state = 'X';
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	file = fopen(name, "r");
	if (file && fscanf(file, "%*d %*s %c", &state) != 1)
		state = 'X';
	if (file)
		fclose(file);
	return state;
}

static void
do_stopped(char **words)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	pid_t us = getpid(), to = helper();

	if (fork() == 0) {
		for (int i = 0; i < POLL_MAX && state_of(us) != 'T'; i++)
			nanosleep(&tick, NULL);
		kill(to, atoi(words[0]));
		_exit(0);
	}
	raise(SIGSTOP);
}

static void
do_wait_for(char **words)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	struct stat st;

	for (int i = 0; i < POLL_MAX; i++) {
		if (stat(words[0], &st) == 0)
			return;
		nanosleep(&tick, NULL);
	}
	errx(EXIT_ODD, "%s never came", words[0]);
}

static void
do_fds(char **words)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	(void)words;
	printf("fds:");
	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != dirfd(dir))
			printf(" %s", entry->d_name);
	printf("\n");
	closedir(dir);
	fflush(stdout);
}

static void
do_mask(char **words)
{
	sigset_t set;

	(void)words;
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("blocked:");
	for (int i = 1; i < 32; i++)
		if (sigismember(&set, i) == 1)
			printf(" %d", i);
	printf("\nignored:");
	for (int i = 1; i < 32; i++) {
		struct sigaction action;

		if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			printf(" %d", i);
	}
	printf("\n");
	fflush(stdout);
}

static void
do_stdin(char **words)
{
	char path[64];
	ssize_t n = readlink("/proc/self/fd/0", path, sizeof(path) - 1);

	(void)words;
	printf("stdin: %.*s\n", (int)(n < 0 ? 0 : n), path);
	fflush(stdout);
}

static void
do_group(char **words)
{
	(void)words;
	puts(getpgrp() == getpid() ? "leads" : "follows");
	fflush(stdout);
}

static void
do_grandchild(char **words)
{
	pid_t pid = fork();
	FILE *file;

	if (pid == 0)
		do_pause(NULL);
	file = fopen(words[0], "w");
	if (pid < 0 || !file)
		err(EXIT_ODD, "%s", words[0]);
	fprintf(file, "%d\n", (int)pid);
	fclose(file);
}

static void
do_daemon(char **words)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		do_grandchild(words);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		err(EXIT_ODD, "daemon");
}

static void
do_listing(char **words)
{
	copy(words[after_option("-k") ? 0 : 1], stdout);
	fflush(stdout);
}

static void
do_report(char **words)
{
	const char *name = after_option("--report");
	FILE *out = name ? fopen(name, "w") : NULL;

	if (!out)
		err(EXIT_ODD, "--report");
	for (const char *c = words[0]; *c; c++)
		putc(*c == '\'' ? '"' : *c, out);
	fclose(out);
}

static const struct {
	const char *name;
	int operands;
	void (*run)(char **);
} verbs[] = {
	{ "exit", 1, do_exit }, { "die", 1, do_die }, { "print", 1, do_print },
	{ "err", 1, do_err }, { "flood", 1, do_flood }, { "touch", 1, do_touch },
	{ "copy", 2, do_copy }, { "give", 2, do_give }, { "env", 1, do_env },
	{ "ignore", 1, do_ignore },
	{ "signal-helper", 1, do_signal_helper },
	{ "interrupted-by-helper", 0, do_interrupted_by_helper }, { "ready", 0, do_ready },
	{ "pause", 0, do_pause }, { "stopped", 1, do_stopped }, { "wait-for", 1, do_wait_for },
	{ "fds", 0, do_fds }, { "mask", 0, do_mask }, { "stdin", 0, do_stdin },
	{ "group", 0, do_group }, { "grandchild", 1, do_grandchild },
	{ "daemon", 1, do_daemon },
	{ "listing", 2, do_listing }, { "report", 1, do_report },
};

/* How many words the first verb took, itself included. */
static int
run_verb(char **words)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(words[0], verbs[i].name) != 0)
			continue;
		for (int k = 1; k <= verbs[i].operands; k++)
			if (!words[k])
				errx(EXIT_ODD, "%s: what?", words[0]);
		verbs[i].run(words + 1);
		return 1 + verbs[i].operands;
	}
	errx(EXIT_ODD, "%s: no such verb", words[0]);
}

int
main(int argc, char *argv[])
{
	char **word = argv + 1;

	(void)argc;
	all = word;
	if (*word && !strcmp(*word, "-u")) {
		while (*word && strcmp(*word, "--") != 0)
			word++;
		if (*word)
			word++;
	}
	while (*word)
		word += run_verb(word);
	return 0;
}
