/* folder.h: what is in a folder, in the order of the bytes of the names. */

#include <sys.h>
#include <string.h>
#include <memory.h>

/* Sorts n pointers; before says whether one comes before the other. Equal ones keep their
   order. */
void sort(char **list, int n, int (*before)(char *a, char *b)) {
	char **other = (char **)allocate(n * sizeof(char *));
	int half = n / 2;
	int i = 0;
	int j = half;
	int k;
	if (n < 2) return;
	sort(list, half, before);
	sort(list + half, n - half, before);
	for (k = 0; k < n; k++) {
		if (i < half && (j == n || !before(list[j], list[i]))) other[k] = list[i++];
		else other[k] = list[j++];
	}
	for (k = 0; k < n; k++) list[k] = other[k];
}

int text_before(char *a, char *b) {
	return strcmp(a, b) < 0;
}

/* The names in a folder without "." and "..", a zero after the last; 0 where it is none. */
char **list_folder(char *path) {
	int file = open(path, O_RDONLY | O_DIRECTORY, 0);
	char *entries = allocate(32768);
	char **names = (char **)allocate(64 * sizeof(char *));
	int room = 64;
	int count = 0;
	int n;
	if (file < 0) return 0;
	while ((n = syscall(SYS_GETDENTS64, file, entries, 32768)) > 0) {
		int at;
		for (at = 0; at < n; at += entries[at + 16] | entries[at + 17] << 8) {
			char *name = entries + at + 19;
			if (equal(name, ".") || equal(name, "..")) continue;
			if (count + 1 == room) {
				names = (char **)enlarge((char *)names, room * 8, room * 16);
				room *= 2;
			}
			names[count++] = copy_text(name);
		}
	}
	close(file);
	names[count] = 0;
	sort(names, count, text_before);
	return names;
}
