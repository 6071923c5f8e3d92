/* as: macro assembler and linker in one, and fast; gives what m1 and hex2 give together.

   usage: as OUTPUT INPUT...
   The inputs are read as if they were one. Words are those of m1 and of hex2: DEFINE, hex
   digits, :label, %label &label ^label, +1 -1 .1 'A' "text", comments. The output is made
   executable and is loaded at address 0x400000.
   Exit status 1: a word is unknown (it is printed), a label marked twice or nowhere. */

enum {
	SYS_READ, SYS_WRITE, SYS_OPEN, SYS_CLOSE, SYS_EXIT = 60,
	INPUT_MAX = 33554432, OUTPUT_MAX = 16777216, NAMES_MAX = 131072, BUCKETS = 65536,
	REFERENCES_MAX = 1048576, BASE = 0x400000,
};

struct name {
	char *text;               /* ends before the next blank */
	int length;
	char *digits;             /* of a macro, or 0 */
	int place;                /* of a label in the output, or -1 */
	struct name *next;        /* in its bucket */
};

struct reference {
	struct name *name;
	int place;                /* where in the output it stands */
	int kind;                 /* '%', '&' or '^' */
};

char input[INPUT_MAX];
int input_length;
char output[OUTPUT_MAX];
int output_length;
struct name names[NAMES_MAX];
int name_count;
struct name *buckets[BUCKETS];
struct reference references[REFERENCES_MAX];
int reference_count;

int text_length(char *text) {
	int n = 0;
	while (text[n]) n++;
	return n;
}

void fail(char *what, char *name, int length) {
	syscall(SYS_WRITE, 2, "as: ", 4);
	syscall(SYS_WRITE, 2, what, text_length(what));
	syscall(SYS_WRITE, 2, name, length);
	syscall(SYS_WRITE, 2, "\n", 1);
	syscall(SYS_EXIT, 1, 0, 0);
}

void read_input(char *path) {
	int file = syscall(SYS_OPEN, path, 0, 0);
	int n = 1;
	if (file < 0) fail("can not open ", path, text_length(path));
	while (n > 0) {
		n = syscall(SYS_READ, file, input + input_length, INPUT_MAX - input_length - 1);
		if (n < 0) fail("can not read ", path, text_length(path));
		input_length += n;
	}
	syscall(SYS_CLOSE, file, 0, 0);
	input[input_length++] = '\n';
	if (input_length > INPUT_MAX - 8) fail("no memory is left for ", path, text_length(path));
}

int word_length(char *word) {
	int n = 0;
	while (word[n] > ' ') n++;
	return n;
}

/* The entry of a name, made where there is none. */
struct name *find(char *text, int length) {
	int hash = length;
	int i;
	struct name *n;
	for (i = 0; i < length; i++) hash = hash * 31 + text[i] & BUCKETS - 1;
	for (n = buckets[hash]; n; n = n->next) {
		if (n->length != length) continue;
		for (i = 0; i < length && n->text[i] == text[i]; i++) {}
		if (i == length) return n;
	}
	if (name_count == NAMES_MAX) fail("too many names: ", text, length);
	n = &names[name_count++];
	n->text = text;
	n->length = length;
	n->place = -1;
	n->next = buckets[hash];
	buckets[hash] = n;
	return n;
}

void put(int byte) {
	if (output_length == OUTPUT_MAX) fail("the output is too long", "", 0);
	output[output_length++] = byte;
}

void put_four(int place, int value) {
	int i;
	for (i = 0; i < 4; i++) output[place + i] = value >> i * 8;
}

/* The value of a hexadecimal digit as m1 knows them, or -1. */
int digit(int c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

void put_digits(char *word, int length) {
	int i;
	for (i = 0; i < length; i += 2) {
		int high = digit(word[i]);
		int low = -1;
		if (i + 1 < length) low = digit(word[i + 1]);
		if (high < 0 || low < 0) fail("unknown word ", word, length);
		put(high << 4 | low);
	}
}

int number(char *word, int length) {
	int value = 0;
	int i;
	for (i = 1; i < length; i++) {
		if (word[i] < '0' || word[i] > '9') fail("no number: ", word, length);
		value = value * 10 + word[i] - '0';
	}
	return value;
}

void assemble() {
	char *p = input;
	char *end = input + input_length;
	struct name *define = find("DEFINE", 6);
	struct name *n;
	while (p < end) {
		int c = *p;
		int length;
		if (c <= ' ') {
			p++;
			continue;
		}
		if (c == '#') {
			while (*p != '\n') p++;
			continue;
		}
		if (c == '"') {
			for (p++; *p != '"'; p++) {
				if (p == end) fail("a text does not end", "", 0);
				put(*p);
			}
			put(0);
			p++;
			continue;
		}
		if (c == '\'') {
			if (p[2] != c) fail("a character does not end", "", 0);
			put(p[1]);
			p += 3;
			continue;
		}
		length = word_length(p);
		if (c == ':') {
			n = find(p + 1, length - 1);
			if (n->place >= 0) fail("marked twice: ", p, length);
			n->place = output_length;
		} else if (c == '%' || c == '&' || c == '^') {
			if (reference_count == REFERENCES_MAX) fail("too many references: ", p, length);
			references[reference_count].name = find(p + 1, length - 1);
			references[reference_count].place = output_length;
			references[reference_count++].kind = c;
			output_length += 4;
		} else if (c == '.') put(number(p, length));
		else if (c == '+' || c == '-') {
			int value = number(p, length);
			if (c == '-') value = -value;
			if (output_length > OUTPUT_MAX - 4) fail("the output is too long", "", 0);
			put_four(output_length, value);
			output_length += 4;
		} else {
			n = find(p, length);
			if (n->digits) put_digits(n->digits, word_length(n->digits));
			else if (n == define) {
				for (p += 6; *p <= ' '; p++) {}
				n = find(p, word_length(p));
				for (p += n->length; *p <= ' '; p++) {}
				if (n->digits == 0) n->digits = p;
				length = word_length(p);
			} else put_digits(p, length);
		}
		p += length;
	}
}

void link() {
	int i;
	for (i = 0; i < reference_count; i++) {
		struct reference *r = &references[i];
		int value = r->name->place;
		if (value < 0) fail("nowhere marked: ", r->name->text, r->name->length);
		if (r->kind == '%') value -= r->place + 4;
		else if (r->kind == '&') value += BASE;
		put_four(r->place, value);
	}
}

int main(int argc, char **argv) {
	int i;
	int file;
	if (argc < 3) fail("usage: as OUTPUT INPUT...", "", 0);
	for (i = 2; i < argc; i++) read_input(argv[i]);
	assemble();
	link();
	file = syscall(SYS_OPEN, argv[1], 577, 493);  /* O_WRONLY, O_CREAT, O_TRUNC; rwxr-xr-x */
	if (syscall(SYS_WRITE, file, output, output_length) != output_length) fail("can not write ", argv[1], text_length(argv[1]));
	return 0;
}
