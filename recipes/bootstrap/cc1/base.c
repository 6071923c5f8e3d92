/* cc: a compiler for a larger part of C, written in the part of it that cc0 knows, so
   that cc0 can compile it and it can compile itself. It is the files base.c words.c types.c
   tree.c code.c parse.c declare.c, joined in this order.

   usage: cc INPUT OUTPUT
   OUTPUT is for m1, or for as. What it knows of C beyond cc0:
     types       struct, arrays of anything, pointers to anything and to functions; int has
                 8 bytes, long is int; const and static say nothing; sizeof; casts
     globals     with initial values, also { } lists and strings
     statements  for do switch case default
     expressions += and the like, ++ --, ?: , and & and . and ->; pointers are moved by what
                 they point to
     #include    "FILE" from the current folder, <FILE> from /usr/include, each file once

   base.c: memory, errors and output. Knows nothing of C. */

enum {
	SYS_READ = 0, SYS_WRITE = 1, SYS_OPEN = 2, SYS_CLOSE = 3, SYS_EXIT = 60,
	POOL_SIZE = 33554432, OUTPUT_SIZE = 16777216,
};

char pool[POOL_SIZE];         /* what is never given back: names, the input, strings */
int pool_used;
char output[OUTPUT_SIZE];
int output_used;
char *input_file;             /* where the input is, for errors */
int input_line;
int label_count;              /* the last label given out */

int length(char *text) {
	int n = 0;
	while (text[n]) n = n + 1;
	return n;
}

int equal(char *a, char *b) {
	int i = 0;
	while (a[i] == b[i]) {
		if (a[i] == 0) return 1;
		i = i + 1;
	}
	return 0;
}

void complain(char *text) {
	syscall(SYS_WRITE, 2, text, length(text));
}

char decimal_text[24];

/* The digits of n, in a place that the next call takes again. */
char *decimal(int n) {
	int i = 23;
	int minus = n < 0;
	decimal_text[i] = 0;
	if (n == 0) {
		i = i - 1;
		decimal_text[i] = '0';
	}
	while (n) {
		int digit = n % 10;
		if (digit < 0) digit = -digit;
		i = i - 1;
		decimal_text[i] = '0' + digit;
		n = n / 10;
	}
	if (minus) {
		i = i - 1;
		decimal_text[i] = '-';
	}
	return decimal_text + i;
}

/* Says what is wrong with the input, and where, and ends. */
void fail(char *what, char *name) {
	complain(input_file);
	complain(":");
	complain(decimal(input_line));
	complain(": ");
	complain(what);
	if (name) {
		complain(" '");
		complain(name);
		complain("'");
	}
	complain("\n");
	syscall(SYS_EXIT, 1, 0, 0);
}

char *allocate(int size) {
	char *place = pool + pool_used;
	pool_used = pool_used + (size + 7) / 8 * 8;
	if (pool_used > POOL_SIZE) fail("no memory is left", 0);
	return place;
}

/* The text of a file with a zero after it, or 0 where it can not be opened. */
char *read_file(char *path) {
	int file = syscall(SYS_OPEN, path, 0, 0);
	char *text = pool + pool_used;
	int size = 0;
	int n = 1;
	if (file < 0) return 0;
	while (n > 0) {
		n = syscall(SYS_READ, file, text + size, POOL_SIZE - pool_used - size - 8);
		if (n < 0) fail("can not be read", path);
		size = size + n;
	}
	syscall(SYS_CLOSE, file, 0, 0);
	allocate(size + 1);
	text[size] = 0;
	return text;
}

int new_label() {
	label_count = label_count + 1;
	return label_count;
}

void emit(char *text) {
	int i = 0;
	while (text[i]) {
		output[output_used] = text[i];
		output_used = output_used + 1;
		i = i + 1;
	}
	if (output_used > OUTPUT_SIZE - 256) fail("the output is too long", 0);
}

/* A word of m1 and a number of four bytes. */
void emit_number(char *text, int number) {
	emit(text);
	if (number < 0) emit(" ");
	else emit(" +");
	emit(decimal(number));
	emit("\n");
}

/* A word of m1 and a label, which kind "%" or "&" refers to. */
void emit_label(char *text, int label) {
	emit(text);
	emit("L");
	emit(decimal(label));
	emit("\n");
}

void emit_byte(int byte) {
	emit(".");
	emit(decimal(byte & 255));
	emit(" ");
}
