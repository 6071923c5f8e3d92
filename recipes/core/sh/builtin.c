/* builtin.c: the commands that the shell carries out itself. Part of sh, read by execute.c. */

void import_variables() {
	int i;
	for (i = 0; environment[i]; i++) {
		char *equals = strchr(environment[i], '=');
		if (equals) set_variable(copy_bytes(environment[i], equals - environment[i]), equals + 1)->exported = 1;
	}
	set_variable("IFS", " \t\n");
}

/* The exported variables, as programs get them. */
char **exported() {
	struct variable *v;
	char **list;
	int n = 0;
	for (v = variables; v; v = v->next) n++;
	list = (char **)allocate((n + 1) * 8);
	n = 0;
	for (v = variables; v; v = v->next) if (v->exported && v->value) list[n++] = join(join(v->name, "="), v->value);
	list[n] = 0;
	return list;
}

void set_options(char *text, int on) {
	for (text++; *text; text++) {
		if (*text == 'e') exit_on_failure = on;
		else if (*text == 'u') fail_unset = on;
		else if (*text == 'x') trace = on;
		else if (*text == 'c') script_is_argument = on;
		else fail("unknown option", text);
	}
}

/* The truth of test's arguments, from at on; *at goes to the first that was not used. */
int test_or(char **a, int *at, int end);

int test_one(char **a, int *at, int end) {
	struct stat s;
	char *x;
	char *op;
	if (*at >= end) return 0;
	x = a[(*at)++];
	if (equal(x, "!")) return !test_one(a, at, end);
	if (equal(x, "(")) {
		int truth = test_or(a, at, end);
		if (*at < end) (*at)++;
		return truth;
	}
	if (*at + 1 < end || *at + 1 == end && strlen(x) != 2) {
		op = *at < end ? a[*at] : "";
		if (*at + 1 < end) {
			char *y = a[*at + 1];
			int p = parse_number(x, 10);
			int q = parse_number(y, 10);
			int known = 1;
			int truth = 0;
			if (equal(op, "=") || equal(op, "==")) truth = equal(x, y);
			else if (equal(op, "!=")) truth = !equal(x, y);
			else if (equal(op, "-eq")) truth = p == q;
			else if (equal(op, "-ne")) truth = p != q;
			else if (equal(op, "-lt")) truth = p < q;
			else if (equal(op, "-le")) truth = p <= q;
			else if (equal(op, "-gt")) truth = p > q;
			else if (equal(op, "-ge")) truth = p >= q;
			else known = 0;
			if (known) {
				*at += 2;
				return truth;
			}
		}
	}
	if (x[0] == '-' && x[1] && x[2] == 0 && *at < end) {
		char *y = a[*at];
		if (strchr("nzefdsxLrw", x[1])) {
			(*at)++;
			if (x[1] == 'n') return *y != 0;
			if (x[1] == 'z') return *y == 0;
			if (x[1] == 'L') return lstat(y, &s) == 0 && stat_kind(&s) == MODE_LINK;
			if (stat(y, &s) < 0) return 0;
			if (x[1] == 'f') return stat_kind(&s) == MODE_FILE;
			if (x[1] == 'd') return stat_kind(&s) == MODE_FOLDER;
			if (x[1] == 's') return s.size > 0;
			if (x[1] == 'x') return (stat_mode(&s) & 0111) != 0;
			return 1;
		}
	}
	return *x != 0;
}

int test_and(char **a, int *at, int end) {
	int truth = test_one(a, at, end);
	while (*at < end && equal(a[*at], "-a")) {
		(*at)++;
		truth = test_one(a, at, end) && truth;
	}
	return truth;
}

int test_or(char **a, int *at, int end) {
	int truth = test_and(a, at, end);
	while (*at < end && equal(a[*at], "-o")) {
		(*at)++;
		truth = test_and(a, at, end) || truth;
	}
	return truth;
}

int test(char **a, int end) {
	int at = 1;
	int truth;
	if (equal(a[0], "[")) {
		if (!equal(a[end - 1], "]")) fail("expected", "]");
		end--;
	}
	truth = test_or(a, &at, end);
	if (at < end) fail("test does not understand", a[at]);
	return !truth;
}

/* One line of standard input into variables, the rest of it into the last. */
int read_line(char **names) {
	struct buffer line;
	char *p;
	int got = 0;
	memset((char *)&line, 0, sizeof(struct buffer));
	append(&line, "", 0);
	while (1) {
		char c;
		if (read(0, &c, 1) != 1) break;
		got = 1;
		if (c == '\n') break;
		append_byte(&line, c);
	}
	for (p = line.bytes; *names; names++) {
		int n = 0;
		while (is_blank(*p)) p++;
		if (names[1]) while (p[n] && !is_blank(p[n])) n++;
		else {
			n = strlen(p);
			while (n && is_blank(p[n - 1])) n--;
		}
		set_variable(*names, copy_bytes(p, n));
		p += n;
	}
	return !got;
}

/* name=value */
void assign(char *text, int export) {
	char *equals = strchr(text, '=');
	struct variable *v;
	char *name = equals ? copy_bytes(text, equals - text) : text;
	if (!is_name(name)) fail("is no name", name);
	if (equals) v = set_variable(name, equals + 1);
	else {
		v = find_variable(name);
		if (!v) v = set_variable(name, 0);
	}
	if (export) v->exported = 1;
}

int change_folder(char *path) {
	char *here = allocate(4096);
	if (!path) path = parameter("HOME");
	if (!path || syscall(SYS_CHDIR, path, 0, 0) < 0) {
		warn("can not go to", path);
		return 1;
	}
	syscall(SYS_GETCWD, here, 4096, 0);
	set_variable("PWD", here);
	return 0;
}

int set_command(char **a, int n) {
	int i = 1;
	while (i < n && (a[i][0] == '-' || a[i][0] == '+') && a[i][1]) {
		int on = a[i][0] == '-';
		if (equal(a[i], "--")) {
			i++;
			break;
		}
		if (equal(a[i] + 1, "o") && i + 1 < n) {
			i++;
			if (equal(a[i], "pipefail")) pipe_fails = on;
			else if (equal(a[i], "errexit")) exit_on_failure = on;
			else if (equal(a[i], "nounset")) fail_unset = on;
			else if (equal(a[i], "xtrace")) trace = on;
			else fail("unknown option", a[i]);
		} else set_options(a[i], on);
		i++;
	}
	if (i < n || i > 1 && equal(a[i - 1], "--")) {
		parameters = a + i;
		parameter_count = n - i;
	}
	return 0;
}

/* Becomes the program that the arguments name, or ends. */
void become(char **arguments) {
	flush();
	environment = exported();  /* its PATH counts */
	execute(arguments, environment);
	warn("no such program", arguments[0]);
	exit(127);
}

/* Carries out a command of the shell's own; -1 where it is none. */
int builtin(char **a, int n) {
	char *name = a[0];
	int i;
	if (equal(name, ":") || equal(name, "true") || equal(name, "wait")) return 0;
	if (equal(name, "false")) return 1;
	if (equal(name, "[") || equal(name, "test")) return test(a, n);
	if (equal(name, "echo")) {
		int line_end = !(n > 1 && equal(a[1], "-n"));
		for (i = 2 - line_end; i < n; i++) {
			put_text(a[i]);
			if (i + 1 < n) put_char(' ');
		}
		if (line_end) put_char('\n');
		flush();
		return 0;
	}
	if (equal(name, "cd")) return change_folder(a[1]);
	if (equal(name, "pwd")) {
		char *here = allocate(4096);
		syscall(SYS_GETCWD, here, 4096, 0);
		put_text(here);
		put_char('\n');
		flush();
		return 0;
	}
	if (equal(name, "exit")) exit(finish(n > 1 ? parse_number(a[1], 10) : last_status));
	if (equal(name, "export")) {
		for (i = 1; i < n; i++) assign(a[i], 1);
		return 0;
	}
	if (equal(name, "unset")) {
		for (i = 1; i < n; i++) set_variable(a[i], 0);
		return 0;
	}
	if (equal(name, "set")) return set_command(a, n);
	if (equal(name, "shift")) {
		i = n > 1 ? parse_number(a[1], 10) : 1;
		if (i > parameter_count) return 1;
		parameters += i;
		parameter_count -= i;
		return 0;
	}
	if (equal(name, "read")) return read_line(a + 1 + (n > 1 && equal(a[1], "-r")));
	if (equal(name, "umask")) {
		if (n > 1) syscall(SYS_UMASK, parse_number(a[1], 8), 0, 0);
		return 0;
	}
	if (equal(name, "eval") || equal(name, ".")) {
		struct buffer b;
		memset((char *)&b, 0, sizeof(struct buffer));
		append(&b, "", 0);
		if (equal(name, ".")) {
			if (n < 2) fail(". wants a file", 0);
			need_file(a[1], &b);
		} else for (i = 1; i < n; i++) {
			append_text(&b, a[i]);
			append_byte(&b, ' ');
		}
		last_status = 0;
		return execute_list(b.bytes);
	}
	if (equal(name, "exec")) {
		if (n == 1) return 0;
		become(a + 1);
	}
	if (equal(name, "break") || equal(name, "continue")) {
		leaving = n > 1 ? parse_number(a[1], 10) : 1;
		if (leaving > loop_depth) leaving = loop_depth;
		continuing = equal(name, "continue");
		return 0;
	}
	if (equal(name, "return")) {
		returning = 1;
		return n > 1 ? parse_number(a[1], 10) : last_status;
	}
	return -1;
}
