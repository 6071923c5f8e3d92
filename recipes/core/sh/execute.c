/* execute.c: carries trees out. Part of sh. */

struct function {
	char *name;
	struct node *body;
	struct function *next;
};

/* A descriptor that a redirection changed. */
struct saved {
	int file;
	int copy;                /* below 0 where it was closed */
	struct saved *next;
};

struct function *functions;
int exit_on_failure;             /* set -e */
int trace;                       /* set -x */
int pipe_fails;                  /* set -o pipefail */
int script_is_argument;          /* sh -c */
int condition_depth;             /* inside a condition a failure does not end the script */
int loop_depth;
int leaving;                     /* loops to leave: break and continue */
int continuing;                  /* the last of them goes on */
int returning;
int captured;                    /* was there a $(command)? */

int execute_node(struct node *n);

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

int execute_list(char *script) {
	struct node *n = parse(script);
	if (n) last_status = execute_node(n);
	return last_status;
}

int evaluate(char *script) {
	return execute_list(script);
}

/* What a script prints, without the line ends at its end. */
char *capture(char *script) {
	char ends[8];
	struct buffer b;
	int child;
	int from;
	int to;
	memset((char *)&b, 0, sizeof(struct buffer));
	flush();
	if (syscall(SYS_PIPE, ends, 0, 0) < 0) fail("no pipe", 0);
	from = ends[0] | ends[1] << 8;
	to = ends[4] | ends[5] << 8;
	child = syscall(SYS_FORK, 0, 0, 0);
	if (child < 0) fail("no process", 0);
	if (child == 0) {
		close(from);
		syscall(SYS_DUP2, to, 1, 0);
		close(to);
		exit(finish(execute_list(script)));
	}
	close(to);
	read_open(from, &b);
	close(from);
	last_status = wait_for(child);
	captured = 1;
	while (b.size && b.bytes[b.size - 1] == '\n') b.size--;
	b.bytes[b.size] = 0;
	return b.bytes;
}

/* A descriptor from which the text can be read. */
int text_file(char *text) {
	char ends[8];
	int from;
	int to;
	if (syscall(SYS_PIPE, ends, 0, 0) < 0) fail("no pipe", 0);
	from = ends[0] | ends[1] << 8;
	to = ends[4] | ends[5] << 8;
	if (syscall(SYS_FORK, 0, 0, 0) == 0) {
		close(from);
		write_all(to, text, strlen(text));
		exit(0);
	}
	close(to);
	return from;
}

/* Changes descriptors; what they were is added to saved. 0, or 1 where one can not be opened. */
int redirect(struct redirection *r, struct saved **saved) {
	for (; r; r = r->next) {
		struct saved *s = (struct saved *)allocate(sizeof(struct saved));
		int file;
		char *path;
		flush();
		if (r->kind == 'h') file = text_file(r->expand ? expand_text(r->word) : r->word);
		else {
			path = expand_one(r->word);
			if (r->kind == '<') file = open(path, O_RDONLY, 0);
			else if (r->kind == '>') file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
			else if (r->kind == 'a') file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
			else file = is_number(path) ? parse_number(path, 10) : -1;
			if (file < 0 && !equal(path, "-")) {
				warn("can not open", path);
				return 1;
			}
		}
		if (saved) {
			s->file = r->file;
			s->copy = syscall(72, r->file, 1030, 20);  /* fcntl, F_DUPFD_CLOEXEC */
			s->next = *saved;
			*saved = s;
		}
		if (file < 0) close(r->file);
		else if (syscall(SYS_DUP2, file, r->file, 0) < 0) {
			warn("is not open", format_number(file, 10));
			return 1;
		}
		if (r->kind != '&' && file != r->file) close(file);
	}
	return 0;
}

void restore(struct saved *s) {
	flush();
	for (; s; s = s->next) {
		if (s->copy < 0) close(s->file);
		else {
			syscall(SYS_DUP2, s->copy, s->file, 0);
			close(s->copy);
		}
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

void show(struct fields *f, char **assignments) {
	struct buffer b;
	int i;
	memset((char *)&b, 0, sizeof(struct buffer));
	append_text(&b, "+");
	for (i = 0; assignments[i]; i++) {
		append_byte(&b, ' ');
		append_text(&b, assignments[i]);
	}
	for (i = 0; i < f->count; i++) {
		append_byte(&b, ' ');
		append_text(&b, f->list[i]);
	}
	append_byte(&b, '\n');
	flush();
	write_all(2, b.bytes, b.size);
}

int call_function(struct function *f, struct fields *arguments) {
	char **outer = parameters;
	int outer_count = parameter_count;
	int outer_depth = loop_depth;
	int status;
	parameters = arguments->list + 1;
	parameter_count = arguments->count - 1;
	loop_depth = 0;
	status = execute_node(f->body);
	returning = 0;
	parameters = outer;
	parameter_count = outer_count;
	loop_depth = outer_depth;
	return status;
}

/* A simple command; in a child of its own it need not fork again. */
int command(struct node *n, int alone) {
	struct fields f;
	struct fields set;
	struct saved *saved = 0;
	struct function *function = functions;
	struct word *w = n->words;
	int status;
	int i;
	int child;
	memset((char *)&f, 0, sizeof(struct fields));
	memset((char *)&set, 0, sizeof(struct fields));
	captured = 0;
	for (; w; w = w->next) {
		char *equals = strchr(w->text, '=');
		if (!equals || !is_name(copy_bytes(w->text, equals - w->text))) break;
		add_field(&set, join(copy_bytes(w->text, equals - w->text + 1), expand_one(equals + 1)));
	}
	if (!set.list) add_field(&set, 0);
	status = 0;
	for (; w; w = w->next) expand(&f, w->text);
	if (trace) show(&f, set.list);
	if (f.count == 0) {
		status = redirect(n->redirections, &saved);
		for (i = 0; set.list[i]; i++) assign(set.list[i], 0);
		restore(saved);
		return status ? status : captured ? last_status : 0;
	}
	while (function && !equal(function->name, f.list[0])) function = function->next;
	if (equal(f.list[0], "exec")) {
		if (redirect(n->redirections, 0)) return 1;
		for (i = 0; set.list[i]; i++) assign(set.list[i], 1);
		return builtin(f.list, f.count);
	}
	if (alone && !function) {
		if (redirect(n->redirections, 0)) exit(1);
		for (i = 0; set.list[i]; i++) assign(set.list[i], 1);
		status = builtin(f.list, f.count);
		if (status < 0) become(f.list);
		return status;
	}
	if (redirect(n->redirections, &saved)) {
		restore(saved);
		return 1;
	}
	if (function) {
		for (i = 0; set.list[i]; i++) assign(set.list[i], 0);
		status = call_function(function, &f);
	} else {
		status = builtin(f.list, f.count);
		if (status < 0) {
			child = syscall(SYS_FORK, 0, 0, 0);
			if (child < 0) fail("no process", 0);
			if (child == 0) {
				for (i = 0; set.list[i]; i++) assign(set.list[i], 1);
				become(f.list);
			}
			status = wait_for(child);
		} else for (i = 0; set.list[i]; i++) assign(set.list[i], 0);
	}
	restore(saved);
	return status;
}

int in_child(struct node *n) {
	int status;
	if (n->kind == COMMAND) status = command(n, 1);
	else status = execute_node(n);
	exit(finish(status));
	return 0;
}

int pipeline_of(struct node *n) {
	char ends[8];
	int from;
	int to;
	int left;
	int right;
	int status;
	flush();
	if (syscall(SYS_PIPE, ends, 0, 0) < 0) fail("no pipe", 0);
	from = ends[0] | ends[1] << 8;
	to = ends[4] | ends[5] << 8;
	left = syscall(SYS_FORK, 0, 0, 0);
	if (left == 0) {
		syscall(SYS_DUP2, to, 1, 0);
		close(from);
		close(to);
		in_child(n->a);
	}
	right = syscall(SYS_FORK, 0, 0, 0);
	if (right == 0) {
		syscall(SYS_DUP2, from, 0, 0);
		close(from);
		close(to);
		in_child(n->b);
	}
	if (left < 0 || right < 0) fail("no process", 0);
	close(from);
	close(to);
	left = wait_for(left);
	status = wait_for(right);
	if (pipe_fails && status == 0) status = left;
	return status;
}

/* Runs the body of a loop once; does the loop end? */
int loop_ends(struct node *body, int *status) {
	loop_depth++;
	if (body) *status = execute_node(body);
	loop_depth--;
	if (returning) return 1;
	if (leaving) {
		leaving--;
		if (leaving || !continuing) return 1;
	}
	return 0;
}

/* Does the condition hold? */
int holds(struct node *n) {
	int status = 0;
	condition_depth++;
	if (n) status = execute_node(n);
	condition_depth--;
	last_status = status;
	return status == 0;
}

int compound(struct node *n) {
	int status = 0;
	if (n->kind == IF) {
		if (holds(n->a)) {
			if (n->b) status = execute_node(n->b);
		} else if (n->c) status = execute_node(n->c);
	} else if (n->kind == WHILE || n->kind == UNTIL) {
		while (holds(n->a) == (n->kind == WHILE)) if (loop_ends(n->b, &status)) break;
	} else if (n->kind == FOR) {
		struct fields f;
		struct word *w;
		int i;
		memset((char *)&f, 0, sizeof(struct fields));
		if (n->in) for (w = n->words; w; w = w->next) expand(&f, w->text);
		else for (i = 0; i < parameter_count; i++) add_field(&f, parameters[i]);
		for (i = 0; i < f.count; i++) {
			set_variable(n->name, f.list[i]);
			if (loop_ends(n->a, &status)) break;
		}
	} else if (n->kind == CASE) {
		char *text = expand_one(n->name);
		struct node *branch;
		struct word *w;
		for (branch = n->a; branch; branch = branch->next) {
			for (w = branch->words; w; w = w->next) {
				if (!matches(expand_pattern(w->text), text)) continue;
				if (branch->a) status = execute_node(branch->a);
				return status;
			}
		}
	} else if (n->kind == GROUP) {
		if (n->a) status = execute_node(n->a);
	} else if (n->kind == SUBSHELL) {
		int child;
		flush();
		child = syscall(SYS_FORK, 0, 0, 0);
		if (child < 0) fail("no process", 0);
		if (child == 0) exit(finish(n->a ? execute_node(n->a) : 0));
		status = wait_for(child);
	}
	return status;
}

/* Carries out a tree and gives its exit status. */
int execute_node(struct node *n) {
	int status = 0;
	int counts = 0;          /* does a failure here end the script? */
	if (n->kind == SEQUENCE) {
		status = execute_node(n->a);
		if (leaving || returning) return status;
		return execute_node(n->b);
	}
	if (n->kind == AND || n->kind == OR) {
		status = !holds(n->a);
		if (leaving || returning) return last_status;
		if (status == (n->kind == OR)) return execute_node(n->b);
		return last_status;
	}
	if (n->kind == NOT) {
		status = holds(n->a);
		last_status = status;
		return status;
	}
	if (n->kind == FUNCTION) {
		struct function *f = (struct function *)allocate(sizeof(struct function));
		f->name = n->name;
		f->body = n->a;
		f->next = functions;
		functions = f;
	} else if (n->kind == COMMAND) {
		status = command(n, 0);
		counts = 1;
	} else if (n->kind == PIPE) {
		status = pipeline_of(n);
		counts = 1;
	} else {
		struct saved *saved = 0;
		counts = n->kind == SUBSHELL;
		if (redirect(n->redirections, &saved)) {
			status = 1;
			counts = 1;
		} else status = compound(n);
		restore(saved);
	}
	last_status = status;
	if (status && counts && exit_on_failure && condition_depth == 0 && !returning) exit(finish(status));
	return status;
}
