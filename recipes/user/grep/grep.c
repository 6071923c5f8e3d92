/* grep: writes the lines in which a pattern is found.

   usage: grep [-i] [-v] [-n] [-c] PATTERN [FILE...]
   In a pattern "." is any character, "x*" any number of x, "^" the beginning and "$" the end of
   the line, "[a-z]" one of these, "[^a-z]" none of these, and "\" takes the meaning away.
   Exit status: 0 a line was found, 1 none. */

#include <io.h>

int ignore_case;

int lower(int c) {
	return ignore_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* How long the first piece of the pattern is, without "*". */
int piece(char *p) {
	int n = 1;
	if (*p == '\\' && p[1]) return 2;
	if (*p != '[') return 1;
	if (p[n] == '^') n++;
	if (p[n] == ']') n++;
	while (p[n] && p[n] != ']') n++;
	return p[n] ? n + 1 : n;
}

int piece_fits(char *p, int c) {
	int n = piece(p);
	int not;
	int i;
	if (c == 0) return 0;
	if (*p == '.') return 1;
	if (*p == '\\' && n == 2) return lower(p[1]) == lower(c);
	if (*p != '[') return lower(*p) == lower(c);
	not = p[1] == '^';
	for (i = 1 + not; i < n - 1; i++) {
		if (p[i + 1] == '-' && i + 2 < n - 1) {
			if (lower(c) >= lower(p[i]) && lower(c) <= lower(p[i + 2])) return !not;
			i += 2;
		} else if (lower(p[i]) == lower(c)) return !not;
	}
	return not;
}

/* Does the line begin with what the pattern describes? */
int fits(char *p, char *s) {
	int n;
	if (*p == 0) return 1;
	if (*p == '$' && p[1] == 0) return *s == 0;
	n = piece(p);
	if (p[n] == '*') {
		char *end = s;
		while (piece_fits(p, *end)) end++;
		for (; end >= s; end--) if (fits(p + n + 1, end)) return 1;
		return 0;
	}
	return piece_fits(p, *s) && fits(p + n, s + 1);
}

int found(char *p, char *s) {
	if (*p == '^') return fits(p + 1, s);
	for (; *s; s++) if (fits(p, s)) return 1;
	return fits(p, s);
}

int main(int argc, char **argv) {
	char *pattern;
	int invert = 0;
	int numbers = 0;
	int count_only = 0;
	int hits = 0;
	int names;
	int i = 1;
	program_name = "grep";
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		char *option = argv[i] + 1;
		for (; *option; option++) {
			if (*option == 'i') ignore_case = 1;
			else if (*option == 'v') invert = 1;
			else if (*option == 'n') numbers = 1;
			else if (*option == 'c') count_only = 1;
			else die("usage: grep [-i] [-v] [-n] [-c] PATTERN [FILE...]", 0);
		}
	}
	if (i == argc) die("usage: grep [-i] [-v] [-n] [-c] PATTERN [FILE...]", 0);
	pattern = argv[i++];
	if (i == argc) {
		argv[--i] = "-";
	}
	names = argc - i > 1;
	for (; i < argc; i++) {
		struct buffer b;
		int at = 0;
		int line = 0;
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(argv[i], &b);
		while (at < b.size) {
			char *text = b.bytes + at;
			while (at < b.size && b.bytes[at] != '\n') at++;
			b.bytes[at++] = 0;
			line++;
			if (found(pattern, text) == invert) continue;
			hits++;
			if (count_only) continue;
			if (names) {
				put_text(argv[i]);
				put_char(':');
			}
			if (numbers) {
				put_number(line);
				put_char(':');
			}
			put_text(text);
			put_char('\n');
		}
	}
	if (count_only) {
		put_number(hits);
		put_char('\n');
	}
	return finish(hits == 0);
}
