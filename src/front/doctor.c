#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/spawn.h"
#include "base/usermake.h"
#include "base/words.h"
#include "front/doctor.h"
#include "front/forks.h"
#include "front/machine.h"
#include "nox/env.h"
#include "nox/inputs.h"
#include "nox/planning.h"
#include "nox/question.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "state/state.h"

/* The oldest of each that sessions run with. */
#define OLDEST_MAKE "4.2"
#define OLDEST_NOX "2022.11.21"
#define OLDEST_PYTHON "3.8"
/* From here on nox takes uv for its environments. */
#define UV_NOX "2024.03.02"

#define READ_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* What is known of the project. */
struct patient {
	const char *share;
	json_t *knobs;         /* of the last plan here, or NULL */
	const char *nox, *noxfile;
	char *version;         /* nox's; NULL: not known */
	struct planfile *plan; /* as it would be now; NULL: there would be none */
	char *complaint;       /* why not */
};

/* Runs it as nox runs for the plan. Its exit code, or -1 with errno set; all that it writes. */
static int
capture(const struct strings *argv, struct buffer *text)
{
	static const char *const no_extra[] = { NULL };
	char **envp = env_for_plan(no_extra);
	int code = spawn_capture((char *const *)argv->v, envp, true, text), error = errno;

	free(envp);
	errno = error;
	return code;
}

/* The first version in the text, "4.3"; NULL if there is none. The caller frees. */
static char *
find_version(const char *text)
{
	static const char digits[] = "0123456789";

	for (text += strcspn(text, digits); *text; text += strcspn(text, digits)) {
		size_t len = strspn(text, "0123456789.");

		while (len > 0 && text[len - 1] == '.')
			len--;
		if (memchr(text, '.', len))
			return xasprintf("%.*s", (int)len, text);
		text += len;
	}
	return NULL;
}

/*
 * What the program says of its version, or NULL. *code: as of capture. argv: its words, to which
 * --version is added; freed.
 */
static char *
ask_version(struct strings *argv, int *code)
{
	struct buffer text = { 0 };
	char *version;

	strings_add(argv, "--version");
	strings_add(argv, NULL);
	*code = capture(argv, &text);
	version = *code == 0 ? find_version(text.data) : NULL;
	buffer_free(&text);
	free(argv->v);
	return version;
}

static bool
is_older(const char *version, const char *than)
{
	return strverscmp(version, than) < 0;
}

static struct finding
found(enum health health, char *text)
{
	return (struct finding){ health, text };
}

static struct finding
check_noxmk(struct patient *patient)
{
	char *program = process_own_program();
	char *other = process_find("noxmk", process_is_own_program);
	char *probe = xasprintf("%s/probe.py", patient->share);
	struct finding finding;

	if (access(probe, R_OK) < 0)
		finding = found(STOP, xasprintf("%s is missing: install noxmk as a whole", probe));
	else if (other)
		finding = found(ADVICE, xasprintf("this is %s, and %s is another one: remove one, "
						  "or let NOXMK name one", program, other));
	else
		finding = found(WELL, xasprintf(NOXMK_VERSION ", %s", program));
	free(other);
	free(probe);
	free(program);
	return finding;
}

/* A make that runs tells best which jobserver it has. */
static struct finding
check_make(struct patient *unused)
{
	const char *program = usermake_program();
	struct strings argv = { 0 };
	struct buffer text = { 0 };
	struct finding finding;
	char *version;
	int code;

	(void)unused;
	strings_add(&argv, program);
	strings_add(&argv, "-j2");
	strings_add(&argv, "-rsf/dev/null");
	strings_add(&argv, "--eval=all: ; +@echo $(MAKE_VERSION) \"$$MAKEFLAGS\"");
	strings_add(&argv, NULL);
	code = capture(&argv, &text);
	version = find_version(text.data);
	if (code < 0 || code == 127)
		finding = found(STOP, xasprintf("%s does not run: install GNU make (Debian: "
						"apt-get install make)", program));
	else if (code != 0 || !version)
		finding = found(STOP, xasprintf("%s is not GNU make %s or newer: install that, and "
						"call it by its name, or set MAKE", program,
				    OLDEST_MAKE));
	else if (is_older(version, OLDEST_MAKE))
		finding = found(STOP, xasprintf("GNU make %s is too old: install %s or newer",
				    version, OLDEST_MAKE));
	else if (strstr(text.data, "=fifo:"))
		finding = found(WELL, xasprintf("GNU make %s, its jobserver is a fifo", version));
	else if (strstr(text.data, "--jobserver-"))
		finding = found(WELL, xasprintf("GNU make %s, its jobserver is a pipe", version));
	else
		finding = found(STOP, xasprintf("GNU make %s has no jobserver: install one that "
						"has", version));
	free(version);
	free(argv.v);
	buffer_free(&text);
	return finding;
}

static struct finding
check_makefile(struct patient *unused)
{
	bool includes;
	const char *makefile = usermake_makefile(&includes);

	(void)unused;
	if (!makefile)
		return found(WELL, xstrdup("none is needed: `noxmk make -j ci`"));
	if (includes)
		return found(WELL, xasprintf("%s includes nox.mk: `make -j ci`", makefile));
	return found(ADVICE, xasprintf("%s does not include nox.mk: add `include $(shell noxmk "
				       "include)` to it, or use `noxmk make`", makefile));
}

static struct finding
check_nox(struct patient *patient)
{
	char *words = xstrdup(patient->nox), *version = NULL;
	struct strings argv = { 0 };
	struct finding finding;
	const char *fault = words_split(words, &argv);
	int code = -1;

	if (!fault)
		version = ask_version(&argv, &code);
	else
		free(argv.v);
	if (fault)
		finding = found(STOP, xasprintf("NOX %s: NOX=%s", fault, patient->nox));
	else if (!version)
		finding = found(STOP, xasprintf("NOX=%s does not run (%s%d): install it (pipx "
						"install nox), or set NOX to its command",
				    patient->nox, code < 0 ? "error " : "exit ",
				    code < 0 ? errno : code));
	else if (is_older(version, OLDEST_NOX))
		finding = found(STOP, xasprintf("nox %s is too old: install %s or newer", version,
				    OLDEST_NOX));
	else
		finding = found(WELL, xasprintf("%s by NOX=%s (from %s on)", version, patient->nox,
				    OLDEST_NOX));
	patient->version = version;
	free(words);
	return finding;
}

/* The plan of today, in a state folder of its own. */
static void
make_plan(struct patient *patient)
{
	const char *place = getenv("TMPDIR");
	char *path = xasprintf("%s/noxmk-doctor-XXXXXX", place && *place ? place : "/tmp");
	struct planning_options options = { .share = patient->share, .nox = patient->nox,
		.noxfile = patient->noxfile, .reserved = "" };
	int out = memfd_create("noxmk-doctor", MFD_CLOEXEC), state = -1, code = -1;
	struct buffer text = { 0 };
	pid_t pid = -1;

	if (mkdtemp(path) && (pid = fork()) == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		state_choose(path);
		setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
		_exit(planning_run(&options));
	}
	if (pid > 0)
		code = spawn_wait(pid);
	if (code == 0 && (state = open(path, READ_FLAGS)) >= 0)
		patient->plan = planfile_open(state);
	fd_read_file(out, &text);
	if (!patient->plan)
		patient->complaint = text.data ? xstrdup(text.data) : xstrdup("");
	if (pid > 0)
		(void)!file_remove(AT_FDCWD, path);
	buffer_free(&text);
	fd_close(&state);
	fd_close(&out);
	free(path);
}

/* The last line of the text, without its end and without our name. */
static const char *
last_line(char *text)
{
	size_t len = strlen(text);
	const char *line;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return strncmp(line, "noxmk: ", 7) ? line : line + 7;
}

static struct finding
check_noxfile(struct patient *patient)
{
	size_t n = 0, defaults = 0;
	char *missing = question_without(patient->noxfile);
	json_t *line;

	if (missing)
		return found(STOP, missing);
	if (!patient->version)
		return found(STOP, xasprintf("%s cannot be planned without nox", patient->noxfile));
	make_plan(patient);
	if (!patient->plan)
		return found(STOP, xasprintf("%s; `noxmk plan` says more",
				       last_line(patient->complaint)));
	planfile_rewind(patient->plan);
	while ((line = planfile_next(patient->plan))) {
		n += *json_text(line, "target") != '\0';
		defaults += json_is_true(json_object_get(line, "default"));
		json_decref(line);
	}
	return found(WELL, xasprintf("%s: %zu session%s, %zu of them by default", patient->noxfile,
			       n, n == 1 ? "" : "s", defaults));
}

/* The one that nox runs in. */
static struct finding
check_python(struct patient *patient)
{
	const json_t *header = patient->plan ? planfile_header(patient->plan) : NULL;
	const char *python = header ? json_text(header, "python") : "";
	struct strings argv = { 0 };
	struct finding finding;
	char *version;
	int code;

	python = *python ? python : "python3";
	strings_add(&argv, python);
	version = ask_version(&argv, &code);
	/* Without nox's own this one is a guess, which stops nothing. */
	if (!version)
		finding = found(header ? STOP : ADVICE, xasprintf("%s does not run: install "
						"Python %s or newer", python, OLDEST_PYTHON));
	else if (is_older(version, OLDEST_PYTHON))
		finding = found(header ? STOP : ADVICE, xasprintf("%s is Python %s: nox has to run "
						"in %s or newer", python, version, OLDEST_PYTHON));
	else
		finding = found(WELL, xasprintf("%s, %s%s", version, python,
				    header ? "" : ", if nox runs in that"));
	free(version);
	return finding;
}

/* What makes the environments, by the words of the noxfile and the user: nobody says, or this. */
enum backend { UNSAID, SAID, ONLY_UV };

/* Is it uv that venv_backend, which stands before the text, is set to, without anything else? */
static bool
is_only_uv(const char *text)
{
	char quote;

	text += strspn(text, " \t");
	if (*text != '=')
		return false;
	text++;
	text += strspn(text, " \t");
	quote = *text;
	return (quote == '"' || quote == '\'') && !strncmp(text + 1, "uv", 2) && text[3] == quote;
}

static enum backend
find_backend(const struct patient *patient)
{
	static const char name[] = "venv_backend";
	const char *told = getenv("NOX_DEFAULT_VENV_BACKEND"), *at;
	enum backend backend = !told ? UNSAID : strcmp(told, "uv") != 0 ? SAID : ONLY_UV;
	struct buffer text = { 0 };

	if (file_read(AT_FDCWD, patient->noxfile, &text) == 0)
		for (at = text.data; (at = strstr(at, name)); at += sizeof(name) - 1) {
			if (is_only_uv(at + sizeof(name) - 1))
				backend = ONLY_UV;
			else if (backend == UNSAID)
				backend = SAID;
		}
	buffer_free(&text);
	return backend;
}

static bool
is_uv(const char *path)
{
	struct strings argv = { 0 };
	int code;

	strings_add(&argv, path);
	free(ask_version(&argv, &code));
	return code == 0;
}

/* nox finds the one, too, that was installed with it, for nobody else. */
static bool
has_uv(const struct patient *patient)
{
	const json_t *header = patient->plan ? planfile_header(patient->plan) : NULL;
	const char *python = header ? json_text(header, "python") : "";
	const char *slash = strrchr(python, '/');
	char *beside = slash ? xasprintf("%.*s/uv", (int)(slash - python), python) : NULL;
	bool has = is_uv("uv") || (beside && is_uv(beside));

	free(beside);
	return has;
}

static struct finding
check_uv(struct patient *patient)
{
	enum backend backend = find_backend(patient);
	bool there = has_uv(patient);

	if (backend == ONLY_UV && !there)
		return found(ADVICE, xstrdup("is chosen, and not there, so environments cannot be "
					     "made: pip install uv, or choose 'uv|virtualenv'"));
	if (backend != UNSAID)
		return found(WELL, xasprintf("what makes environments is chosen; uv is %s",
				       there ? "there" : "not there"));
	if (!patient->version || is_older(patient->version, UV_NOX))
		return found(WELL, xasprintf("would make environments faster, with a nox from "
					     "%s on", UV_NOX));
	return found(ADVICE, xasprintf("would make environments faster: %s"
				       "NOX_DEFAULT_VENV_BACKEND='uv|virtualenv'",
			       there ? "" : "pip install uv, and "));
}

/* In this order: some go by what those above have found. */
static const struct check {
	const char *name;
	struct finding (*run)(struct patient *);
	struct finding (*look)(void); /* or this, which asks nothing of it */
} checks[] = {
	{ "noxmk", .run = check_noxmk },
	{ "make", .run = check_make },
	{ "makefile", .run = check_makefile },
	{ "nox", .run = check_nox },
	{ "noxfile", .run = check_noxfile },
	{ "python", .run = check_python },
	{ "uv", .run = check_uv },
	{ "forks", .look = forks_find },
	{ "files", .look = machine_files },
	{ "processors", .look = machine_cpus },
	{ "proc", .look = machine_proc },
	{ "terminals", .look = machine_terminals },
	{ "orphans", .look = machine_orphans },
};

static const char *const health_words[] = { "ok", "advice", "stop" };

/* What the last plan here was made by; else what the next one would be. */
static void
meet(struct patient *patient, const char *share)
{
	int state = state_find();
	json_t *inputs = state >= 0 ? inputs_read(state) : NULL;
	const char *nox, *noxfile;

	*patient = (struct patient){ .share = share };
	patient->knobs = json_incref(json_object_get(inputs, "knobs"));
	nox = patient->knobs ? json_text(patient->knobs, "NOX") : getenv("NOX");
	noxfile = patient->knobs ? json_text(patient->knobs, "NOXMK_NOXFILE") :
				   getenv("NOXMK_NOXFILE");
	patient->nox = nox && *nox ? nox : "nox";
	patient->noxfile = noxfile && *noxfile ? noxfile : "noxfile.py";
	json_decref(inputs);
	fd_close(&state);
}

static void
leave(struct patient *patient)
{
	planfile_close(patient->plan);
	free(patient->version);
	free(patient->complaint);
	json_decref(patient->knobs);
}

int
doctor_run(const char *share, bool json)
{
	json_t *list = json_array();
	struct patient patient;
	enum health worst = WELL;

	meet(&patient, share);
	for (const struct check *check = checks; check < checks + countof(checks); check++) {
		struct finding finding = check->run ? check->run(&patient) : check->look();
		const char *health = health_words[finding.health];
		char *text = screen_safe(finding.text);

		if (json)
			json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "check",
							check->name, "health", health, "text",
							json_text_or_null(text)));
		else
			printf("%-7s %-11s %s\n", health, check->name, text);
		fflush(stdout);
		worst = finding.health > worst ? finding.health : worst;
		free(text);
		free(finding.text);
	}
	leave(&patient);
	list = json_pack("{s:i,s:s,s:s,s:o}", "schema", 1, "noxmk", NOXMK_VERSION, "health",
	    health_words[worst], "checks", list);
	if (json) {
		json_dumpf(list, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
		putchar('\n');
	}
	json_decref(list);
	return worst == STOP ? 1 : 0;
}
