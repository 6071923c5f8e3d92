/* words.c: the input as words. Knows what a word of C is and nothing of their order. */

enum {
	END = 0, NAME = 1, NUMBER = 2, STRING = 3,  /* else the characters of an operator */
	NAMES_MAX = 16384, BUCKETS = 4096, FILES_MAX = 64, STRING_MAX = 65536,
};

int word;                     /* what the current word is */
int word_value;               /* of a number; of a name its index in names */
char string_text[STRING_MAX]; /* of a string */
int string_length;

char *source;                 /* the next character */
char *source_outer[FILES_MAX];
char *file_outer[FILES_MAX];
int line_outer[FILES_MAX];
int source_depth;
char *included[FILES_MAX];
int included_count;

char *names[NAMES_MAX];       /* every name once */
int name_next[NAMES_MAX];     /* in its bucket */
int name_symbol[NAMES_MAX];   /* what it means now, an index into symbols, or 0 */
int name_tag[NAMES_MAX];      /* the struct of this name, a type, or 0 */
int name_bucket[BUCKETS];
int name_count;

/* Names with a meaning in C, in the order in which start_words takes them. */
enum {
	K_INT = 1, K_LONG, K_CHAR, K_VOID, K_STRUCT, K_ENUM, K_CONST, K_STATIC, K_IF, K_ELSE,
	K_WHILE, K_FOR, K_DO, K_BREAK, K_CONTINUE, K_RETURN, K_SWITCH, K_CASE, K_DEFAULT,
	K_SIZEOF, K_LAST = K_SIZEOF,
};

int digit_value(int c);

int name_index(char *text, int size) {
	int hash = 0;
	int i = 0;
	char *copy;
	while (i < size) {
		hash = (hash * 31 + text[i]) & (BUCKETS - 1);
		i = i + 1;
	}
	int n = name_bucket[hash];
	while (n) {
		char *other = names[n];
		i = 0;
		while (i < size && other[i] == text[i]) i = i + 1;
		if (i == size && other[i] == 0) return n;
		n = name_next[n];
	}
	name_count = name_count + 1;
	if (name_count == NAMES_MAX) fail("too many names", 0);
	copy = allocate(size + 1);
	i = 0;
	while (i < size) {
		copy[i] = text[i];
		i = i + 1;
	}
	copy[size] = 0;
	names[name_count] = copy;
	name_next[name_count] = name_bucket[hash];
	name_bucket[hash] = name_count;
	return name_count;
}

void keyword(char *text) {
	name_index(text, length(text));
}

void start_words() {
	keyword("int"); keyword("long"); keyword("char"); keyword("void"); keyword("struct");
	keyword("enum"); keyword("const"); keyword("static"); keyword("if"); keyword("else");
	keyword("while"); keyword("for"); keyword("do"); keyword("break"); keyword("continue");
	keyword("return"); keyword("switch"); keyword("case"); keyword("default");
	keyword("sizeof");
}

/* Goes on in another file, once only. */
void include(char *path) {
	int i = 0;
	while (i < included_count) {
		if (equal(included[i], path)) return;
		i = i + 1;
	}
	char *text = read_file(path);
	if (text == 0) fail("there is no file", path);
	if (included_count == FILES_MAX) fail("too many files", path);
	included[included_count] = path;
	included_count = included_count + 1;
	source_outer[source_depth] = source;
	file_outer[source_depth] = input_file;
	line_outer[source_depth] = input_line;
	source_depth = source_depth + 1;
	source = text;
	input_file = path;
	input_line = 1;
}

/* What follows "#": include and the name of a file. */
void directive() {
	char *prefix = "";
	char *directory = "/usr/include/";
	char close = '"';
	int i = 0;
	while (i < 7) {
		char *expected = "include";
		if (source[i] != expected[i]) fail("only #include is known", 0);
		i = i + 1;
	}
	while (source[i] == ' ') i = i + 1;
	if (source[i] == '<') {
		close = '>';
		prefix = directory;
	} else if (source[i] != '"') fail("#include wants a file", 0);
	source = source + i + 1;
	i = 0;
	while (source[i] != close) {
		if (source[i] < ' ') fail("#include wants a file", 0);
		i = i + 1;
	}
	int n = length(prefix);
	char *path = allocate(n + i + 1);
	int k = 0;
	while (k < n) {
		path[k] = prefix[k];
		k = k + 1;
	}
	k = 0;
	while (k < i) {
		path[n + k] = source[k];
		k = k + 1;
	}
	path[n + i] = 0;
	source = source + i + 1;
	include(path);
}

/* The character at source, where "\" may escape it; goes on after it. */
int character() {
	int c = source[0];
	if (c == 0 || c == '\n') fail("the line ends inside quotation marks", 0);
	source = source + 1;
	if (c != '\\') return c;
	c = source[0];
	source = source + 1;
	if (c == 'n') return '\n';
	if (c == 't') return '\t';
	if (c == 'r') return '\r';
	if (c == '0') return 0;
	if (c == 'x') {
		int value = 0;
		int digit = digit_value(source[0]);
		while (digit < 16) {
			value = value * 16 + digit;
			source = source + 1;
			digit = digit_value(source[0]);
		}
		return value & 255;
	}
	return c;
}

/* The value of a digit of base 16, or 99. */
int digit_value(int c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return 99;
}

int is_letter(int c) {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
}

/* Skips blanks, comments and directives. */
void skip_blanks() {
	while (1) {
		int c = source[0];
		if (c == '\n') {
			input_line = input_line + 1;
			source = source + 1;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			source = source + 1;
		} else if (c == '/' && source[1] == '/') {
			while (source[0] && source[0] != '\n') source = source + 1;
		} else if (c == '/' && source[1] == '*') {
			source = source + 2;
			while (source[0] != '*' || source[1] != '/') {
				if (source[0] == 0) fail("the comment does not end", 0);
				if (source[0] == '\n') input_line = input_line + 1;
				source = source + 1;
			}
			source = source + 2;
		} else if (c == '#') {
			source = source + 1;
			directive();
		} else if (c == 0 && source_depth > 1) {
			source_depth = source_depth - 1;
			source = source_outer[source_depth];
			input_file = file_outer[source_depth];
			input_line = line_outer[source_depth];
		} else return;
	}
}

void number() {
	int base = 10;
	word = NUMBER;
	word_value = 0;
	if (source[0] == '0' && (source[1] == 'x' || source[1] == 'X')) {
		base = 16;
		source = source + 2;
	} else if (source[0] == '0') base = 8;
	int digit = digit_value(source[0]);
	while (digit < base) {
		word_value = word_value * base + digit;
		source = source + 1;
		digit = digit_value(source[0]);
	}
	if (is_letter(source[0]) || digit < 10) fail("this is no number", 0);
}

/* Strings that follow each other are one. */
void string() {
	string_length = 0;
	while (source[0] == '"') {
		source = source + 1;
		while (source[0] != '"') {
			if (string_length == STRING_MAX - 1) fail("the string is too long", 0);
			string_text[string_length] = character();
			string_length = string_length + 1;
		}
		source = source + 1;
		skip_blanks();
	}
	string_text[string_length] = 0;
	word = STRING;
}

/* Takes the next word. */
void next() {
	skip_blanks();
	int c = source[0];
	int d;
	if (c == 0) {
		word = END;
		return;
	}
	if (is_letter(c)) {
		int n = 0;
		while (is_letter(source[n]) || source[n] >= '0' && source[n] <= '9') n = n + 1;
		word = NAME;
		word_value = name_index(source, n);
		source = source + n;
		return;
	}
	if (c >= '0' && c <= '9') {
		number();
		return;
	}
	if (c == '"') {
		string();
		return;
	}
	if (c == '\'') {
		source = source + 1;
		word_value = character();
		word = NUMBER;
		if (source[0] != '\'') fail("a character has no end", 0);
		source = source + 1;
		return;
	}
	word = c;
	source = source + 1;
	d = source[0];
	if (d == '=') {
		if (c == '=' || c == '!' || c == '<' || c == '>' || c == '+' || c == '-' || c == '*'
			|| c == '/' || c == '%' || c == '&' || c == '|' || c == '^') {
			word = c + d * 256;
			source = source + 1;
		}
	} else if (c == '-' && d == '>') {
		word = c + d * 256;
		source = source + 1;
	} else if (c == d) {
		if (c == '&' || c == '|' || c == '+' || c == '-' || c == '<' || c == '>') {
			word = c + d * 256;
			source = source + 1;
			if ((c == '<' || c == '>') && source[0] == '=') {
				word = word + '=' * 65536;
				source = source + 1;
			}
		}
	}
}

char operator_text[4];

/* Says that the current word is not what must be here. */
void unexpected() {
	if (word == END) fail("the input ends too early", 0);
	if (word == NAME) fail("unexpected", names[word_value]);
	if (word == NUMBER) fail("unexpected number", decimal(word_value));
	if (word == STRING) fail("unexpected string", string_text);
	operator_text[0] = word & 255;
	operator_text[1] = word >> 8 & 255;
	operator_text[2] = word >> 16;
	fail("unexpected", operator_text);
}

void expect(int what) {
	if (word != what) unexpected();
	next();
}

/* Takes the word where it is this one. */
int accept(int what) {
	if (word != what) return 0;
	next();
	return 1;
}

int is_keyword(int which) {
	return word == NAME && word_value == which;
}

int accept_keyword(int which) {
	if (word != NAME || word_value != which) return 0;
	next();
	return 1;
}

/* Takes a name that is no keyword. */
int expect_name() {
	int n = word_value;
	if (word != NAME || n <= K_LAST) unexpected();
	next();
	return n;
}
