/* memory.h: memory as it is needed. Nothing is given back before the program ends. */

#include <sys.h>
#include <string.h>

int heap_next;
int heap_end;

/* Memory full of zeros; without any the program ends. */
char *allocate(int size) {
	int place;
	if (heap_next == 0) {
		heap_next = syscall(SYS_BRK, 0, 0, 0) + 15 & -16;
		heap_end = heap_next;
	}
	place = heap_next;
	heap_next += size + 15 & -16;
	if (heap_next > heap_end) {
		int end = heap_next + 0xFFFFF & -0x100000;
		heap_end = syscall(SYS_BRK, end, 0, 0);
		if (heap_end < end) {
			write(2, "no memory is left\n", 18);
			exit(1);
		}
	}
	return (char *)place;
}

/* A larger place for what is at old. */
char *enlarge(char *old, int old_size, int size) {
	char *place = allocate(size);
	memcpy(place, old, old_size);
	return place;
}

char *copy_bytes(char *s, int n) {
	char *copy = allocate(n + 1);
	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

char *copy_text(char *s) {
	return copy_bytes(s, strlen(s));
}

char *join(char *a, char *b) {
	int n = strlen(a);
	char *s = allocate(n + strlen(b) + 1);
	memcpy(s, a, n);
	memcpy(s + n, b, strlen(b) + 1);
	return s;
}

/* The path of name in a folder. */
char *join_path(char *folder, char *name) {
	if (*folder && folder[strlen(folder) - 1] == '/') return join(folder, name);
	return join(join(folder, "/"), name);
}

/* Bytes that grow: begin with all zero. */
struct buffer {
	char *bytes;
	int size;
	int room;
};

void append(struct buffer *b, char *bytes, int n) {
	if (b->size + n + 1 > b->room) {
		int room = (b->size + n + 1) * 2 + 64;
		b->bytes = enlarge(b->bytes, b->size, room);
		b->room = room;
	}
	memcpy(b->bytes + b->size, bytes, n);
	b->size += n;
	b->bytes[b->size] = 0;
}

void append_byte(struct buffer *b, int c) {
	char byte = c;
	append(b, &byte, 1);
}

void append_text(struct buffer *b, char *s) {
	append(b, s, strlen(s));
}
