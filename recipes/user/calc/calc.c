/* calc: a calculator for whole numbers of any length.

   usage: calc [EXPRESSION...]        without any: a line of input each
   + - * / % ^ ( ), and x = EXPRESSION to keep a value. / and % are towards zero. */

#include <io.h>

enum { BASE = 1000000000 };  /* a product of two digits fits into an int */

struct number {
	int minus;
	int size;                /* digits, lowest first; none for 0 */
	int *digits;
};

struct variable {
	char *name;
	struct number *value;
	struct variable *next;
};

struct variable *variables;
char *text;                  /* what is left of the expression */

struct number *new_number(int size) {
	struct number *n = (struct number *)allocate(sizeof(struct number));
	n->size = size;
	n->digits = (int *)allocate((size + 1) * sizeof(int));
	return n;
}

struct number *trim(struct number *n) {
	while (n->size && n->digits[n->size - 1] == 0) n->size--;
	if (n->size == 0) n->minus = 0;
	return n;
}

/* Compares without the signs: below 0, 0, above 0. */
int compare(struct number *a, struct number *b) {
	int i;
	if (a->size != b->size) return a->size - b->size;
	for (i = a->size - 1; i >= 0; i--) if (a->digits[i] != b->digits[i]) return a->digits[i] - b->digits[i];
	return 0;
}

/* a + b, or a - b where a is not the smaller, without the signs. */
struct number *combine(struct number *a, struct number *b, int sign) {
	int size = (a->size > b->size ? a->size : b->size) + 1;
	struct number *n = new_number(size);
	int carry = 0;
	int i;
	for (i = 0; i < size; i++) {
		int d = carry;
		if (i < a->size) d += a->digits[i];
		if (i < b->size) d += sign * b->digits[i];
		carry = 0;
		if (d < 0) {
			d += BASE;
			carry = -1;
		} else if (d >= BASE) {
			d -= BASE;
			carry = 1;
		}
		n->digits[i] = d;
	}
	return trim(n);
}

struct number *add(struct number *a, struct number *b, int sign) {
	int b_minus = sign < 0 ? !b->minus : b->minus;
	struct number *n;
	if (a->minus == b_minus) {
		n = combine(a, b, 1);
		n->minus = a->minus;
	} else if (compare(a, b) >= 0) {
		n = combine(a, b, -1);
		n->minus = a->minus;
	} else {
		n = combine(b, a, -1);
		n->minus = b_minus;
	}
	return trim(n);
}

struct number *multiply(struct number *a, struct number *b) {
	struct number *n = new_number(a->size + b->size);
	int i;
	int j;
	for (i = 0; i < a->size; i++) {
		int carry = 0;
		for (j = 0; j < b->size || carry; j++) {
			int d = n->digits[i + j] + carry;
			if (j < b->size) d += a->digits[i] * b->digits[j];
			n->digits[i + j] = d % BASE;
			carry = d / BASE;
		}
	}
	n->minus = a->minus != b->minus;
	return trim(n);
}

struct number *times_digit(struct number *a, int digit) {
	struct number *n = new_number(a->size + 1);
	int carry = 0;
	int i;
	for (i = 0; i <= a->size; i++) {
		int d = carry;
		if (i < a->size) d += a->digits[i] * digit;
		n->digits[i] = d % BASE;
		carry = d / BASE;
	}
	return trim(n);
}

/* a / b, and what is left of a. */
struct number *divide(struct number *a, struct number *b, struct number **rest) {
	struct number *n = new_number(a->size);
	struct number *r = new_number(a->size + 1);
	int i;
	int j;
	if (b->size == 0) die("division by zero", 0);
	r->size = 0;
	for (i = a->size - 1; i >= 0; i--) {
		int low = 0;
		int high = BASE - 1;
		struct number *next = new_number(r->size + 1);
		next->digits[0] = a->digits[i];
		for (j = 0; j < r->size; j++) next->digits[j + 1] = r->digits[j];
		r = trim(next);
		while (low < high) {   /* the largest digit whose product is not too large */
			int middle = (low + high + 1) / 2;
			if (compare(times_digit(b, middle), r) <= 0) low = middle;
			else high = middle - 1;
		}
		n->digits[i] = low;
		r = combine(r, times_digit(b, low), -1);
	}
	n->minus = a->minus != b->minus;
	r->minus = a->minus;
	*rest = trim(r);
	return trim(n);
}

void skip_blanks() {
	while (is_blank(*text)) text++;
}

struct number *expression(int least);

struct number *parse(char *s, int n) {
	struct number *number = new_number(n / 9 + 1);
	int i = 0;
	while (n > 0) {
		int width = n < 9 ? n : 9;
		number->digits[i++] = parse_number(copy_bytes(s + n - width, width), 10);
		n -= width;
	}
	return trim(number);
}

struct number *operand() {
	struct number *n;
	int length = 0;
	skip_blanks();
	if (*text == '-') {
		text++;
		n = expression(3);
		return add(new_number(0), n, -1);
	}
	if (*text == '(') {
		text++;
		n = expression(1);
		skip_blanks();
		if (*text != ')') die("a bracket is not closed", text);
		text++;
		return n;
	}
	if (is_letter(*text)) {
		struct variable *v = variables;
		char *name;
		while (is_letter(text[length])) length++;
		name = copy_bytes(text, length);
		text += length;
		while (v && !equal(v->name, name)) v = v->next;
		if (!v) die("has no value", name);
		return v->value;
	}
	while (is_digit(text[length])) length++;
	if (length == 0) die("a number is missing before", *text ? text : "the end");
	text += length;
	return parse(text - length, length);
}

int rank() {
	skip_blanks();
	if (*text == '^') return 3;
	if (*text == '*' || *text == '/' || *text == '%') return 2;
	if (*text == '+' || *text == '-') return 1;
	return 0;
}

struct number *power(struct number *a, struct number *b) {
	struct number *n = parse("1", 1);
	int times;
	if (b->minus || b->size > 1) die("the power is too large or below zero", 0);
	times = b->size ? b->digits[0] : 0;
	while (times) {
		if (times & 1) n = multiply(n, a);
		times >>= 1;
		if (times) a = multiply(a, a);
	}
	return n;
}

struct number *expression(int least) {
	struct number *a = operand();
	int r = rank();
	while (r >= least && r > 0) {
		int operator = *text++;
		struct number *b = expression(r == 3 ? 3 : r + 1);
		struct number *rest;
		if (operator == '+') a = add(a, b, 1);
		else if (operator == '-') a = add(a, b, -1);
		else if (operator == '*') a = multiply(a, b);
		else if (operator == '^') a = power(a, b);
		else {
			struct number *quotient = divide(a, b, &rest);
			a = operator == '/' ? quotient : rest;
		}
		r = rank();
	}
	return a;
}

void show(struct number *n) {
	int i;
	if (n->minus) put_char('-');
	put_number(n->size ? n->digits[n->size - 1] : 0);
	for (i = n->size - 2; i >= 0; i--) {
		char *digits = format_number(n->digits[i] + BASE, 10);
		put_text(digits + 1);  /* with its leading zeros */
	}
	put_char('\n');
}

void calculate(char *line) {
	char *equals = strchr(line, '=');
	struct number *n;
	text = equals ? equals + 1 : line;
	skip_blanks();
	if (*text == 0) return;
	n = expression(1);
	skip_blanks();
	if (*text) die("what is this?", text);
	if (equals) {
		struct variable *v = (struct variable *)allocate(sizeof(struct variable));
		int length = 0;
		while (is_blank(*line)) line++;
		while (is_letter(line[length])) length++;
		v->name = copy_bytes(line, length);
		v->value = n;
		v->next = variables;
		variables = v;
	} else show(n);
}

int main(int argc, char **argv) {
	int i;
	program_name = "calc";
	if (argc == 1) {
		struct buffer b;
		char *p;
		memset((char *)&b, 0, sizeof(struct buffer));
		append(&b, "", 0);
		read_open(0, &b);
		for (p = b.bytes; *p;) {
			char *end = strchr(p, '\n');
			if (!end) end = p + strlen(p);
			calculate(copy_bytes(p, end - p));
			p = *end ? end + 1 : end;
		}
	}
	for (i = 1; i < argc; i++) calculate(argv[i]);
	return finish(0);
}
