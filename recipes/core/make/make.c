/* make: brings files up to date by the rules of a makefile.

   usage: make [-f FILE] [-C FOLDER] [-n] [-s] [-j N] [NAME=VALUE...] [TARGET...]
   Of make it knows: rules, several targets of a rule, recipes, "@" and "-" before a command,
   pattern rules with one "%", variables with = := ?= +=, $(NAME) ${NAME} $@ $< $^ $*, $$,
   $(NAME:.a=.b), comments, lines joined by "\", .PHONY, and include. A command runs in "sh -e".
   -n shows what would be done, -s shows nothing; -j is accepted: one command runs at a time. */

#include <io.h>
#include <process.h>
#include <folder.h>

struct variable {
	char *name;
	char *value;
	int fixed;               /* set by the caller */
	struct variable *next;
};

struct list {
	char *text;
	struct list *next;
};

struct rule {
	char *target;
	struct list *needs;
	struct list *recipe;
	int phony;
	int state;               /* 0 not looked at, 1 in the middle of it, 2 done */
	int changed;             /* was it made anew? */
	struct rule *next;
};

struct variable *variables;
struct rule *rules;
struct rule *last_rule;
char *first_target;
int dry;
int silent;

char *current_target;        /* $@ */
char *current_first;         /* $< */
char *current_all;           /* $^ */
char *current_stem;          /* $* */

struct variable *find_variable(char *name) {
	struct variable *v = variables;
	while (v && !equal(v->name, name)) v = v->next;
	return v;
}

void set_variable(char *name, char *value, int fixed) {
	struct variable *v = find_variable(name);
	if (v && v->fixed && !fixed) return;
	if (!v) {
		v = (struct variable *)allocate(sizeof(struct variable));
		v->name = name;
		v->next = variables;
		variables = v;
	}
	v->value = value;
	v->fixed = fixed;
}

char *trimmed(char *s, int n) {
	while (n > 0 && is_blank(*s)) {
		s++;
		n--;
	}
	while (n > 0 && is_blank(s[n - 1])) n--;
	return copy_bytes(s, n);
}

char *expand(char *s, int depth);

/* The words of a text. */
struct list *words(char *s) {
	struct list *first = 0;
	struct list *last = 0;
	while (1) {
		struct list *w;
		int n = 0;
		while (is_blank(*s)) s++;
		if (*s == 0) return first;
		while (s[n] && !is_blank(s[n])) n++;
		w = (struct list *)allocate(sizeof(struct list));
		w->text = copy_bytes(s, n);
		if (last) last->next = w;
		else first = w;
		last = w;
		s += n;
	}
}

int ends_with(char *s, char *end) {
	int n = strlen(s) - strlen(end);
	return n >= 0 && equal(s + n, end);
}

/* The value of what is between "$(" and ")". */
char *value_of(char *name, int depth) {
	char *colon = strchr(name, ':');
	char *value;
	struct variable *v;
	if (colon && strchr(colon, '=')) {
		char *equals = strchr(colon, '=');
		char *from = copy_bytes(colon + 1, equals - colon - 1);
		struct list *w = words(value_of(copy_bytes(name, colon - name), depth));
		struct buffer b;
		memset((char *)&b, 0, sizeof(struct buffer));
		append(&b, "", 0);
		for (; w; w = w->next) {
			if (ends_with(w->text, from)) append_text(&b, join(copy_bytes(w->text, strlen(w->text) - strlen(from)), equals + 1));
			else append_text(&b, w->text);
			if (w->next) append_byte(&b, ' ');
		}
		return b.bytes;
	}
	if (equal(name, "@")) return current_target;
	if (equal(name, "<")) return current_first;
	if (equal(name, "^")) return current_all;
	if (equal(name, "*")) return current_stem;
	v = find_variable(name);
	if (v) return expand(v->value, depth + 1);
	value = get_environment(name);
	return value ? value : "";
}

char *expand(char *s, int depth) {
	struct buffer b;
	memset((char *)&b, 0, sizeof(struct buffer));
	append(&b, "", 0);
	if (depth > 100) die("a variable contains itself", s);
	for (; *s; s++) {
		if (*s != '$') append_byte(&b, *s);
		else if (*++s == '$') append_byte(&b, '$');
		else if (*s == '(' || *s == '{') {
			char *end = strchr(s, *s == '(' ? ')' : '}');
			if (!end) die("a variable is not closed", s);
			append_text(&b, value_of(copy_bytes(s + 1, end - s - 1), depth));
			s = end;
		} else if (*s) append_text(&b, value_of(copy_bytes(s, 1), depth));
		else break;
	}
	return b.bytes;
}

struct rule *find_rule(char *target) {
	struct rule *r = rules;
	while (r && !equal(r->target, target)) r = r->next;
	return r;
}

struct rule *need_rule(char *target) {
	struct rule *r = find_rule(target);
	if (!r) {
		r = (struct rule *)allocate(sizeof(struct rule));
		r->target = target;
		if (last_rule) last_rule->next = r;
		else rules = r;
		last_rule = r;
	}
	return r;
}

void add_words(struct list **to, struct list *more) {
	while (*to) to = &(*to)->next;
	*to = more;
}

void read_makefile(char *path);

/* A line that is no recipe: a variable or a rule; gives the targets of a rule. */
struct list *read_line(char *line) {
	char *equals = strchr(line, '=');
	char *colon = strchr(line, ':');
	struct list *targets;
	struct list *t;
	char *needs;
	char *semicolon;
	if (starts_with(line, "include ")) {
		read_makefile(expand(trimmed(line + 8, strlen(line + 8)), 0));
		return 0;
	}
	if (equals && (!colon || equals < colon || colon + 1 == equals)) {
		char *end = equals;
		char kind = '=';
		char *name;
		char *value = trimmed(equals + 1, strlen(equals + 1));
		if (end > line && strchr(":?+", end[-1])) kind = *--end;
		name = expand(trimmed(line, end - line), 0);
		if (kind == ':') value = expand(value, 0);
		else if (kind == '?' && (find_variable(name) || get_environment(name))) return 0;
		else if (kind == '+') value = join(join(find_variable(name) ? find_variable(name)->value : "", " "), value);
		set_variable(name, value, 0);
		return 0;
	}
	if (!colon) {
		if (*trimmed(line, strlen(line)) == 0) return 0;
		die("a line is neither rule nor variable", line);
	}
	targets = words(expand(copy_bytes(line, colon - line), 0));
	semicolon = strchr(colon, ';');
	needs = semicolon ? copy_bytes(colon + 1, semicolon - colon - 1) : colon + 1;
	for (t = targets; t; t = t->next) {
		if (equal(t->text, ".PHONY")) {
			struct list *p;
			for (p = words(expand(needs, 0)); p; p = p->next) need_rule(p->text)->phony = 1;
			continue;
		}
		if (!first_target && *t->text != '.' && !strchr(t->text, '%')) first_target = t->text;
		add_words(&need_rule(t->text)->needs, words(expand(needs, 0)));
	}
	return targets;
}

void read_makefile(char *path) {
	struct buffer b;
	struct list *targets = 0;
	int at = 0;
	memset((char *)&b, 0, sizeof(struct buffer));
	need_file(path, &b);
	while (at < b.size) {
		struct buffer line;
		memset((char *)&line, 0, sizeof(struct buffer));
		append(&line, "", 0);
		while (at < b.size && b.bytes[at] != '\n') {
			if (b.bytes[at] == '\\' && b.bytes[at + 1] == '\n') {
				append_byte(&line, ' ');
				for (at += 2; b.bytes[at] == ' ' || b.bytes[at] == '\t'; at++) {}
			} else append_byte(&line, b.bytes[at++]);
		}
		at++;
		if (line.bytes[0] == '\t') {
			struct list *t;
			for (t = targets; t; t = t->next) {
				struct list *command = (struct list *)allocate(sizeof(struct list));
				command->text = line.bytes + 1;
				if (!equal(t->text, ".PHONY")) add_words(&need_rule(t->text)->recipe, command);
			}
		} else {
			char *comment = strchr(line.bytes, '#');
			if (comment) *comment = 0;
			if (*trimmed(line.bytes, strlen(line.bytes))) targets = read_line(line.bytes);
		}
	}
}

/* When a file was changed, in nanoseconds, or -1 where it is not there. */
int changed_at(char *path) {
	struct stat s;
	if (stat(path, &s) < 0) return -1;
	return s.times[2] * 1000000000 + s.times[3];
}

/* What "%" stands for where the name fits the pattern, or 0. */
char *stem(char *pattern, char *name) {
	char *percent = strchr(pattern, '%');
	int head = percent - pattern;
	int n = strlen(name) - strlen(pattern) + 1;
	if (n < 1 || strncmp(name, pattern, head) || !equal(name + head + n, percent + 1)) return 0;
	return copy_bytes(name + head, n);
}

char *with_stem(char *pattern, char *s) {
	char *percent = strchr(pattern, '%');
	if (!percent) return pattern;
	return join(join(copy_bytes(pattern, percent - pattern), s), percent + 1);
}

/* A pattern rule whose needs are there or can be made. */
struct rule *pattern_rule(char *target) {
	struct rule *r;
	for (r = rules; r; r = r->next) {
		char *s;
		struct list *need;
		if (!strchr(r->target, '%') || !r->recipe) continue;
		s = stem(r->target, target);
		if (!s) continue;
		for (need = r->needs; need; need = need->next) {
			char *path = with_stem(need->text, s);
			if (changed_at(path) < 0 && !find_rule(path)) break;
		}
		if (!need) return r;
	}
	return 0;
}

void run_recipe(struct rule *r, struct list *recipe) {
	struct list *need;
	struct buffer all;
	char *arguments[5];
	char *outer_stem = current_stem;
	memset((char *)&all, 0, sizeof(struct buffer));
	append(&all, "", 0);
	for (need = r->needs; need; need = need->next) {
		if (need != r->needs) append_byte(&all, ' ');
		append_text(&all, need->text);
	}
	for (; recipe; recipe = recipe->next) {
		char *command;
		int quiet = silent;
		int lenient = 0;
		int status;
		current_target = r->target;
		current_first = r->needs ? r->needs->text : "";
		current_all = all.bytes;
		current_stem = outer_stem;
		command = expand(recipe->text, 0);
		while (*command == '@' || *command == '-' || is_blank(*command)) {
			if (*command == '@') quiet = 1;
			if (*command == '-') lenient = 1;
			command++;
		}
		if (*command == 0) continue;
		if (!quiet || dry) {
			put_text(command);
			put_char('\n');
			flush();
		}
		if (dry) continue;
		arguments[0] = "/bin/sh";
		arguments[1] = "-e";
		arguments[2] = "-c";
		arguments[3] = command;
		arguments[4] = 0;
		status = run(arguments);
		if (status && !lenient) die(join("failed with exit status ", copy_text(format_number(status, 10))), r->target);
	}
}

/* Brings a target up to date; does it count as changed? */
int update(char *target, char *for_whom) {
	struct rule *r = find_rule(target);
	struct rule *pattern = 0;
	struct list *recipe = r ? r->recipe : 0;
	struct list *need;
	char *outer_stem = current_stem;
	char *own_stem = "";
	int time = changed_at(target);
	int stale;
	if (!recipe && !(r && r->phony)) {
		pattern = pattern_rule(target);
		if (pattern) {
			struct list *first = 0;
			own_stem = stem(pattern->target, target);
			recipe = pattern->recipe;
			r = need_rule(target);
			for (need = pattern->needs; need; need = need->next) add_words(&first, words(with_stem(need->text, own_stem)));
			add_words(&first, r->needs);
			r->needs = first;
			r->recipe = recipe;
		}
	}
	if (!r) {
		if (time < 0) die(join("there is no rule for ", target), for_whom);
		return 0;
	}
	if (r->state == 2) return r->changed;
	if (r->state == 1) die("needs itself", target);
	r->state = 1;
	stale = r->phony || time < 0;
	for (need = r->needs; need; need = need->next) {
		if (update(need->text, target)) stale = 1;
		else if (changed_at(need->text) > time) stale = 1;
	}
	current_stem = own_stem;
	if (stale && recipe) run_recipe(r, recipe);
	current_stem = outer_stem;
	r->state = 2;
	r->changed = stale;
	return stale;
}

int main(int argc, char **argv) {
	char *makefile = "Makefile";
	struct list *targets = 0;
	int i;
	program_name = "make";
	environment = argv + argc + 1;
	current_stem = "";
	set_variable("CC", "cc", 0);
	set_variable("MAKE", "make", 0);
	for (i = 1; i < argc; i++) {
		if (equal(argv[i], "-f") && i + 1 < argc) makefile = argv[++i];
		else if (equal(argv[i], "-C") && i + 1 < argc) {
			if (syscall(SYS_CHDIR, argv[++i], 0, 0) < 0) die("can not go to", argv[i]);
		} else if (equal(argv[i], "-n")) dry = 1;
		else if (equal(argv[i], "-s")) silent = 1;
		else if (equal(argv[i], "-j") && i + 1 < argc) i++;
		else if (starts_with(argv[i], "-j")) {}
		else if (argv[i][0] == '-') die("unknown option", argv[i]);
		else if (strchr(argv[i], '=')) {
			char *equals = strchr(argv[i], '=');
			set_variable(copy_bytes(argv[i], equals - argv[i]), equals + 1, 1);
		} else add_words(&targets, words(argv[i]));
	}
	read_makefile(makefile);
	if (!targets) {
		if (!first_target) die("there is no target", makefile);
		targets = words(first_target);
	}
	for (; targets; targets = targets->next) {
		if (!update(targets->text, "the command line") && !silent) {
			put_text(targets->text);
			put_text(" is up to date\n");
		}
	}
	return finish(0);
}
