/* string.h: texts, which end with a zero, and bytes. Takes no memory and makes no system
   call. */

int strlen(char *s) {
	int n = 0;
	while (s[n]) n++;
	return n;
}

int strcmp(char *a, char *b) {
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a - *b;
}

int strncmp(char *a, char *b, int n) {
	while (n > 0 && *a && *a == *b) {
		a++;
		b++;
		n--;
	}
	if (n <= 0) return 0;
	return *a - *b;
}

int equal(char *a, char *b) {
	return strcmp(a, b) == 0;
}

int starts_with(char *s, char *start) {
	return strncmp(s, start, strlen(start)) == 0;
}

/* The first c in s, or 0. */
char *strchr(char *s, int c) {
	for (; *s; s++) if (*s == c) return s;
	if (c == 0) return s;
	return 0;
}

/* The last c in s, or 0. */
char *strrchr(char *s, int c) {
	char *last = 0;
	for (; *s; s++) if (*s == c) last = s;
	return last;
}

void memcpy(char *to, char *from, int n) {
	int i;
	for (i = 0; i < n; i++) to[i] = from[i];
}

void memset(char *to, int byte, int n) {
	int i;
	for (i = 0; i < n; i++) to[i] = byte;
}

int memcmp(char *a, char *b, int n) {
	int i;
	for (i = 0; i < n; i++) if (a[i] != b[i]) return a[i] - b[i];
	return 0;
}

/* Where the n bytes of what are in the size bytes of s, or -1. */
int find(char *s, int size, char *what, int n) {
	int i;
	for (i = 0; i + n <= size; i++) if (memcmp(s + i, what, n) == 0) return i;
	return -1;
}

int is_digit(int c) {
	return c >= '0' && c <= '9';
}

int is_letter(int c) {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
}

int is_blank(int c) {
	return c == ' ' || c >= 9 && c <= 13;
}

/* The number that s begins with, in this base; other characters end it. */
int parse_number(char *s, int base) {
	int value = 0;
	int minus = *s == '-';
	if (minus) s++;
	while (is_digit(*s) && *s - '0' < base) value = value * base + *s++ - '0';
	if (minus) return -value;
	return value;
}

int is_number(char *s) {
	if (*s == '-') s++;
	if (*s == 0) return 0;
	for (; *s; s++) if (!is_digit(*s)) return 0;
	return 1;
}

/* What follows the last "/" of a path. */
char *base_name(char *path) {
	char *slash = strrchr(path, '/');
	if (slash) return slash + 1;
	return path;
}

char number_text[72];

/* The digits of n, in a place that the next call takes again. */
char *format_number(int n, int base) {
	int i = 71;
	int minus = n < 0;
	number_text[i] = 0;
	do {
		int digit = n % base;
		if (digit < 0) digit = -digit;
		if (digit > 9) digit += 'a' - '0' - 10;
		number_text[--i] = '0' + digit;
		n /= base;
	} while (n);
	if (minus) number_text[--i] = '-';
	return number_text + i;
}
