/* io.h: output in pieces of some size, whole files, errors. A program that puts something
   ends with "return finish(status);". */

#include <sys.h>
#include <string.h>
#include <memory.h>

char *program_name = "program";
char put_buffer[4096];
int put_count;
int put_failed;

/* Hands on what was put, to standard output. */
void flush() {
	if (write_all(1, put_buffer, put_count) < 0) put_failed = 1;
	put_count = 0;
}

void put_char(int c) {
	if (put_count == 4096) flush();
	put_buffer[put_count++] = c;
}

void put_bytes(char *s, int n) {
	int i;
	for (i = 0; i < n; i++) put_char(s[i]);
}

void put_text(char *s) {
	put_bytes(s, strlen(s));
}

void put_number(int n) {
	put_text(format_number(n, 10));
}

/* A number with blanks before it, to this width. */
void put_right(int n, int width) {
	char *s = format_number(n, 10);
	int i;
	for (i = strlen(s); i < width; i++) put_char(' ');
	put_text(s);
}

/* The exit status: that of the program, or 1 where the output could not be written. */
int finish(int status) {
	flush();
	if (put_failed && status == 0) return 1;
	return status;
}

/* Says what is wrong, on standard error. */
void warn(char *what, char *name) {
	flush();
	write(2, program_name, strlen(program_name));
	write(2, ": ", 2);
	write(2, what, strlen(what));
	if (name) {
		write(2, ": ", 2);
		write(2, name, strlen(name));
	}
	write(2, "\n", 1);
}

void die(char *what, char *name) {
	warn(what, name);
	exit(1);
}

/* All that can be read from an open file. */
void read_open(int file, struct buffer *b) {
	char *piece = allocate(65536);
	int n;
	while ((n = read(file, piece, 65536)) > 0) append(b, piece, n);
	append(b, "", 0);
}

/* The content of a file; 0, or an error below 0. */
int read_file(char *path, struct buffer *b) {
	int file = open(path, O_RDONLY, 0);
	if (file < 0) return file;
	read_open(file, b);
	close(file);
	return 0;
}

/* The content of a file, or of standard input for "-"; without it the program ends. */
void need_file(char *path, struct buffer *b) {
	if (equal(path, "-")) read_open(0, b);
	else if (read_file(path, b) < 0) die("can not read", path);
}

/* Makes the file hold these bytes; without that the program ends. */
void write_file(char *path, char *bytes, int size, int mode) {
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (file < 0 || write_all(file, bytes, size) < 0) die("can not write", path);
	close(file);
}
