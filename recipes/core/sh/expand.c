/* expand.c: from words as they are written to arguments. Part of sh. */

struct variable {
	char *name;
	char *value;             /* 0 where it is not set */
	int exported;
	struct variable *next;
};

/* The arguments that words become. */
struct fields {
	char **list;
	int count;
	int room;
};

struct variable *variables;
char *shell_name;
char **parameters;               /* $1 and on */
int parameter_count;
int last_status;
int fail_unset;                  /* set -u */

char *capture(char *script);

struct variable *find_variable(char *name) {
	struct variable *v = variables;
	while (v && !equal(v->name, name)) v = v->next;
	return v;
}

struct variable *set_variable(char *name, char *value) {
	struct variable *v = find_variable(name);
	if (!v) {
		v = (struct variable *)allocate(sizeof(struct variable));
		v->name = name;
		v->next = variables;
		variables = v;
	}
	v->value = value;
	return v;
}

void add_field(struct fields *f, char *text) {
	if (f->count + 2 > f->room) {
		f->list = (char **)enlarge((char *)f->list, f->count * 8, f->room * 16 + 64);
		f->room = f->room * 2 + 8;
	}
	f->list[f->count++] = text;
	f->list[f->count] = 0;
}

int is_name(char *s) {
	if (!is_letter(*s)) return 0;
	while (is_letter(*s) || is_digit(*s)) s++;
	return *s == 0;
}

/* Where what begins after an opening bracket ends: at its closing one. */
char *nested_end(char *s, int open, int close) {
	int depth = 1;
	while (*s) {
		if (*s == '\\' && s[1]) s++;
		else if (*s == '\'' && close != '}') {
			for (s++; *s && *s != '\''; s++) {}
			if (!*s) break;
		} else if (*s == open) depth++;
		else if (*s == close && --depth == 0) return s;
		s++;
	}
	fail("a bracket is not closed", 0);
	return s;
}

/* Where the expansion that begins with "$" ends. */
char *dollar_end(char *s) {
	s++;
	if (*s == '(') return nested_end(s + 1, '(', ')') + 1;
	if (*s == '{') return nested_end(s + 1, '{', '}') + 1;
	if (is_letter(*s)) {
		while (is_letter(*s) || is_digit(*s)) s++;
		return s;
	}
	if (*s && strchr("0123456789?#@*$!-", *s)) return s + 1;
	return s;
}

/* Where a word ends. */
char *word_end(char *s) {
	while (*s && !strchr(" \t\n;&|<>()", *s)) {
		if (*s == '\\') s += s[1] ? 2 : 1;
		else if (*s == '\'') {
			for (s++; *s && *s != '\''; s++) {}
			if (!*s) fail("a quotation is not closed", "'");
			s++;
		} else if (*s == '"') {
			for (s++; *s && *s != '"';) {
				if (*s == '\\' && s[1]) s += 2;
				else if (*s == '$') s = dollar_end(s);
				else s++;
			}
			if (!*s) fail("a quotation is not closed", "\"");
			s++;
		} else if (*s == '$') s = dollar_end(s);
		else if (*s == '`') fail("write $(command), not", "`command`");
		else s++;
	}
	return s;
}

/* The word without its quotes. */
char *unquote(char *s) {
	struct buffer b;
	memset((char *)&b, 0, sizeof(struct buffer));
	append_text(&b, "");
	for (; *s; s++) {
		if (*s == '\\' && s[1]) append_byte(&b, *++s);
		else if (*s != '\'' && *s != '"') append_byte(&b, *s);
	}
	return b.bytes;
}

/* Does the text match the pattern: * ? [..] and "\" before what stands for itself? */
int matches(char *p, char *s) {
	for (; *p; p++) {
		if (*p == '*') {
			while (*p == '*') p++;
			for (;; s++) {
				if (matches(p, s)) return 1;
				if (!*s) return 0;
			}
		}
		if (!*s) return 0;
		if (*p == '[') {
			int not = p[1] == '!';
			int hit = 0;
			char *q = p + 1 + not;
			do {
				if (*q == '\\' && q[1]) q++;
				if (q[1] == '-' && q[2] != ']') {
					if (*s >= *q && *s <= q[2]) hit = 1;
					q += 2;
				} else if (*q == *s) hit = 1;
				q++;
			} while (*q && *q != ']');
			if (hit == not) return 0;
			p = q;
			if (!*p) return 0;
		} else {
			if (*p == '\\' && p[1]) {
				p++;
				if (*p != *s) return 0;
			} else if (*p != '?' && *p != *s) return 0;
		}
		s++;
	}
	return *s == 0;
}

/* Adds the files whose path matches; head is the part that is settled. */
void add_matches(struct fields *f, char *head, char *pattern) {
	int n = 0;
	char *part;
	char **names;
	while (*pattern == '/') {
		head = join(head, "/");
		pattern++;
	}
	while (pattern[n] && pattern[n] != '/') n++;
	part = copy_bytes(pattern, n);
	if (n == 0) {
		add_field(f, head);
		return;
	}
	names = list_folder(*head ? head : ".");
	if (!names) return;
	for (; *names; names++) {
		struct stat s;
		char *path = join(head, *names);
		if (**names == '.' && *part != '.') continue;
		if (!matches(part, *names)) continue;
		if (pattern[n] == 0) add_field(f, path);
		else if (stat(path, &s) == 0 && stat_kind(&s) == MODE_FOLDER) add_matches(f, path, pattern + n);
	}
}

/* Sums: integers, variables, ( ) * / % + - < > <= >= == != && ||. */
char *sum;

int sum_binary(int least);

int sum_unary() {
	int value = 0;
	while (is_blank(*sum)) sum++;
	if (*sum == '-') {
		sum++;
		return -sum_unary();
	}
	if (*sum == '!') {
		sum++;
		return !sum_unary();
	}
	if (*sum == '(') {
		sum++;
		value = sum_binary(1);
		while (is_blank(*sum)) sum++;
		if (*sum != ')') fail("a sum lacks", ")");
		sum++;
		return value;
	}
	if (is_letter(*sum)) {
		int n = 0;
		struct variable *v;
		while (is_letter(sum[n]) || is_digit(sum[n])) n++;
		v = find_variable(copy_bytes(sum, n));
		if (v && v->value) value = parse_number(v->value, 10);
		sum += n;
		return value;
	}
	if (!is_digit(*sum)) fail("a sum lacks a number", sum);
	value = parse_number(sum, 10);
	while (is_digit(*sum)) sum++;
	return value;
}

int sum_rank() {
	while (is_blank(*sum)) sum++;
	if (*sum == '*' || *sum == '/' || *sum == '%') return 6;
	if (*sum == '+' || *sum == '-') return 5;
	if (*sum == '<' || *sum == '>') return 4;
	if (*sum == '=' || *sum == '!') return 3;
	if (*sum == '&') return 2;
	if (*sum == '|') return 1;
	return 0;
}

int sum_binary(int least) {
	int a = sum_unary();
	int rank = sum_rank();
	while (rank >= least) {
		int c = *sum++;
		int equals = *sum == '=';
		int b;
		if (equals || rank < 3) sum++;
		b = sum_binary(rank + 1);
		if (rank == 6 && c != '*' && b == 0) fail("division by zero", 0);
		if (c == '*') a *= b;
		else if (c == '/') a /= b;
		else if (c == '%') a %= b;
		else if (c == '+') a += b;
		else if (c == '-') a -= b;
		else if (c == '<') a = equals ? a <= b : a < b;
		else if (c == '>') a = equals ? a >= b : a > b;
		else if (c == '=') a = a == b;
		else if (c == '!') a = a != b;
		else if (c == '&') a = a && b;
		else a = a || b;
		rank = sum_rank();
	}
	return a;
}

char *expand_one(char *word);
char *expand_text(char *text);

/* The value of a parameter, 0 where it is not set. */
char *parameter(char *name) {
	struct variable *v;
	if (is_digit(*name)) {
		int n = parse_number(name, 10);
		if (n == 0) return shell_name;
		return n <= parameter_count ? parameters[n - 1] : 0;
	}
	if (equal(name, "?")) return copy_text(format_number(last_status, 10));
	if (equal(name, "#")) return copy_text(format_number(parameter_count, 10));
	if (equal(name, "$")) return copy_text(format_number(syscall(SYS_GETPID, 0, 0, 0), 10));
	if (equal(name, "-")) return "";
	if (equal(name, "@") || equal(name, "*")) {
		struct buffer b;
		int i;
		memset((char *)&b, 0, sizeof(struct buffer));
		append_text(&b, "");
		for (i = 0; i < parameter_count; i++) {
			if (i) append_byte(&b, ' ');
			append_text(&b, parameters[i]);
		}
		return b.bytes;
	}
	v = find_variable(name);
	return v ? v->value : 0;
}

/* The value without what matches at its beginning ("#") or end ("%"). */
char *trim(char *value, int side, int longest, char *pattern) {
	int n = strlen(value);
	int i;
	for (i = 0; i <= n; i++) {
		int cut = longest ? n - i : i;
		if (side == '#' && matches(pattern, copy_bytes(value, cut))) return value + cut;
		if (side == '%' && matches(pattern, value + n - cut)) return copy_bytes(value, n - cut);
	}
	return value;
}

/* What stands for the expansion that begins at s with "$". */
char *dollar(char *s) {
	char *end = dollar_end(s);
	char *name;
	char *value;
	int n = 0;
	if (end == s + 1) return "$";
	if (s[1] == '(' && s[2] == '(') {
		char *outer = sum;
		int result;
		sum = expand_text(copy_bytes(s + 3, end - s - 5));
		result = sum_binary(1);
		while (is_blank(*sum)) sum++;
		if (*sum) fail("a sum goes on after its end", sum);
		sum = outer;
		return copy_text(format_number(result, 10));
	}
	if (s[1] == '(') return capture(copy_bytes(s + 2, end - s - 3));
	if (s[1] != '{') name = copy_bytes(s + 1, end - s - 1);
	else {
		char *p = copy_bytes(s + 2, end - s - 3);
		int colon;
		if (*p == '#' && p[1]) {
			value = parameter(p + 1);
			return copy_text(format_number(value ? strlen(value) : 0, 10));
		}
		if (is_letter(*p)) while (is_letter(p[n]) || is_digit(p[n])) n++;
		else n = 1;
		name = copy_bytes(p, n);
		p += n;
		value = parameter(name);
		colon = *p == ':';
		p += colon;
		if (*p == '-' || *p == '=' || *p == '+' || *p == '?') {
			int set = value != 0 && !(colon && *value == 0);
			if (*p == '+') return set ? expand_one(p + 1) : "";
			if (set) return value;
			if (*p == '?') fail(name, expand_one(p + 1));
			value = expand_one(p + 1);
			if (*p == '=') set_variable(name, value);
			return value;
		}
		if (*p == '#' || *p == '%') {
			int longest = p[1] == *p;
			if (!value) value = "";
			return trim(value, *p, longest, expand_one(p + 1 + longest));
		}
		if (*p || colon) fail("unknown expansion", s);
	}
	value = parameter(name);
	if (!value) {
		if (fail_unset) fail("is not set", name);
		return "";
	}
	return value;
}

/* The field that grows: as text, and as a pattern where quoted characters have a "\". */
struct field {
	struct buffer text;
	struct buffer pattern;
	int any;                 /* is there a field, though it may be empty? */
	int wild;                /* has it * ? or [ that are not quoted? */
};

void add_character(struct field *f, int c, int quoted) {
	f->any = 1;
	append_byte(&f->text, c);
	if (quoted && strchr("*?[]\\-!", c)) append_byte(&f->pattern, '\\');
	append_byte(&f->pattern, c);
	if (!quoted && (c == '*' || c == '?' || c == '[')) f->wild = 1;
}

void end_field(struct fields *to, struct field *f) {
	if (f->any) {
		int before = to->count;
		append(&f->text, "", 0);
		if (f->wild) add_matches(to, "", f->pattern.bytes);
		if (to->count == before) add_field(to, f->text.bytes);
	}
	memset((char *)f, 0, sizeof(struct field));
}

/* The word as one field; where split says so, blanks from expansions begin new ones. */
void expand_word(struct fields *to, struct field *f, char *s, int split) {
	int quoted = 0;
	while (*s) {
		if (*s == '\'' && !quoted) {
			f->any = 1;
			for (s++; *s != '\''; s++) add_character(f, *s, 1);
			s++;
		} else if (*s == '"') {
			quoted = !quoted;
			f->any = 1;
			s++;
		} else if (*s == '\\' && s[1]) {
			if (s[1] == '\n') {}
			else if (quoted && !strchr("$`\"\\", s[1])) {
				add_character(f, '\\', 1);
				add_character(f, s[1], 1);
			} else add_character(f, s[1], 1);
			s += 2;
		} else if (*s == '$' && quoted && split && s[1] == '@') {
			int i;
			if (parameter_count == 0 && f->text.size == 0) f->any = 0;
			for (i = 0; i < parameter_count; i++) {
				char *p;
				if (i) end_field(to, f);
				f->any = 1;
				for (p = parameters[i]; *p; p++) add_character(f, *p, 1);
			}
			s += 2;
		} else if (*s == '$') {
			char *value = dollar(s);
			s = dollar_end(s);
			for (; *value; value++) {
				if (!quoted && split && (*value == ' ' || *value == '\t' || *value == '\n')) end_field(to, f);
				else add_character(f, *value, quoted);
			}
		} else add_character(f, *s++, quoted);
	}
}

void expand(struct fields *to, char *word) {
	struct field f;
	memset((char *)&f, 0, sizeof(struct field));
	expand_word(to, &f, word, 1);
	end_field(to, &f);
}

/* The word as one text: no splitting, no file names. */
char *expand_one(char *word) {
	struct field f;
	memset((char *)&f, 0, sizeof(struct field));
	expand_word(0, &f, word, 0);
	append(&f.text, "", 0);
	return f.text.bytes;
}

/* The word as a pattern. */
char *expand_pattern(char *word) {
	struct field f;
	memset((char *)&f, 0, sizeof(struct field));
	expand_word(0, &f, word, 0);
	append(&f.pattern, "", 0);
	return f.pattern.bytes;
}

/* The lines of <<: only $ and "\" mean something. */
char *expand_text(char *s) {
	struct buffer b;
	memset((char *)&b, 0, sizeof(struct buffer));
	append(&b, "", 0);
	while (*s) {
		if (*s == '\\' && s[1] && strchr("$`\\\n", s[1])) {
			if (s[1] != '\n') append_byte(&b, s[1]);
			s += 2;
		} else if (*s == '$') {
			append_text(&b, dollar(s));
			s = dollar_end(s);
		} else append_byte(&b, *s++);
	}
	return b.bytes;
}
