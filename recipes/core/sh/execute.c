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

int execute_list(char *script) {
	struct node *n = parse(script);
	if (n) last_status = execute_node(n);
	return last_status;
}

/* Makes a pipe: what is written to one descriptor can be read from the other. */
void open_pipe(int *from, int *to) {
	char ends[8];
	if (syscall(SYS_PIPE, ends, 0, 0) < 0) fail("no pipe", 0);
	*from = ends[0] | ends[1] << 8;
	*to = ends[4] | ends[5] << 8;
}

int fork() {
	int child = syscall(SYS_FORK, 0, 0, 0);
	if (child < 0) fail("no process", 0);
	return child;
}

/* What a script prints, without the line ends at its end. */
char *capture(char *script) {
	struct buffer b;
	int child;
	int from;
	int to;
	memset((char *)&b, 0, sizeof(struct buffer));
	flush();
	open_pipe(&from, &to);
	child = fork();
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
	int from;
	int to;
	open_pipe(&from, &to);
	if (fork() == 0) {
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
			s->copy = syscall(SYS_FCNTL, r->file, F_DUPFD_CLOEXEC, 20);
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

#include "builtin.c"

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
			child = fork();
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
	int from;
	int to;
	int left;
	int right;
	int status;
	flush();
	open_pipe(&from, &to);
	left = fork();
	if (left == 0) {
		syscall(SYS_DUP2, to, 1, 0);
		close(from);
		close(to);
		in_child(n->a);
	}
	right = fork();
	if (right == 0) {
		syscall(SYS_DUP2, from, 0, 0);
		close(from);
		close(to);
		in_child(n->b);
	}
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
		child = fork();
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
