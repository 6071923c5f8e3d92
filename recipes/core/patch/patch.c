/* patch: applies a unified difference.

   usage: patch [-pN] [-R] [-i PATCH]
   PATCH is standard input where none is named; -pN takes N folders off the names; -R takes the
   change back. A part that does not fit where its line number says is looked for above and
   below; every line of it must fit. Nothing is written where a part of the file's fails. */

#include <io.h>

struct lines {
	char **list;             /* each without its line end */
	int count;
	int room;
	int open_end;            /* the last has no line end */
};

char **patch;                /* the lines of the patch */
int patch_count;
int strip;
int reverse;

void add_line(struct lines *l, char *text) {
	if (l->count + 1 >= l->room) {
		l->list = (char **)enlarge((char *)l->list, l->count * 8, l->room * 16 + 64);
		l->room = l->room * 2 + 8;
	}
	l->list[l->count++] = text;
}

void split(struct lines *l, struct buffer *b) {
	int at = 0;
	while (at < b->size) {
		int n = 0;
		while (at + n < b->size && b->bytes[at + n] != '\n') n++;
		add_line(l, copy_bytes(b->bytes + at, n));
		l->open_end = at + n == b->size;
		at += n + 1;
	}
}

/* The path after "--- " or "+++ ", 0 for none. */
char *path_of(char *line) {
	char *path = line + 4;
	int n = 0;
	int i;
	while (path[n] && path[n] != '\t' && path[n] != '\r') n++;
	path = copy_bytes(path, n);
	if (equal(path, "/dev/null")) return 0;
	for (i = 0; i < strip; i++) {
		char *slash = strchr(path, '/');
		if (!slash) die("has too few folders", path);
		path = slash + 1;
	}
	return path;
}

/* Is the line one of the file as it is? */
int is_old(char *line) {
	return *line == ' ' || *line == 0 || *line == (reverse ? '+' : '-');
}

int is_new(char *line) {
	return *line == ' ' || *line == 0 || *line == (reverse ? '-' : '+');
}

char *content(char *line) {
	return *line ? line + 1 : line;
}

/* Does the part, patch lines from to end, fit the file at this line? */
int fits(struct lines *file, int line, int from, int end) {
	if (line < 0) return 0;
	for (; from < end; from++) {
		if (!is_old(patch[from])) continue;
		if (line >= file->count || !equal(file->list[line], content(patch[from]))) return 0;
		line++;
	}
	return 1;
}

void apply(char *from, char *to, int *at) {
	struct buffer b;
	struct lines old;
	struct lines new;
	struct stat s;
	char *name = to ? to : from;
	int mode = 0644;
	int done = 0;            /* lines of the file that were taken over */
	int shift = 0;
	int i;
	memset((char *)&b, 0, sizeof(struct buffer));
	memset((char *)&old, 0, sizeof(struct lines));
	memset((char *)&new, 0, sizeof(struct lines));
	if (from) {
		if (read_file(from, &b) < 0) die("can not read", from);
		stat(from, &s);
		mode = stat_mode(&s) & 0777;
	}
	split(&old, &b);
	new.open_end = old.open_end;
	while (*at < patch_count && starts_with(patch[*at], "@@ -")) {
		char *numbers = patch[*at] + 4;
		char *p;
		int old_left = 1;
		int new_left = 1;
		int line;
		int place;
		int distance;
		int first;
		int end;
		p = strchr(numbers, '+');
		if (!p) die("the patch is damaged", patch[*at]);
		line = parse_number(reverse ? p + 1 : numbers, 10);
		for (i = 0; is_digit(numbers[i]); i++) {}
		if (numbers[i] == ',') old_left = parse_number(numbers + i + 1, 10);
		p++;
		for (i = 0; is_digit(p[i]); i++) {}
		if (p[i] == ',') new_left = parse_number(p + i + 1, 10);
		first = ++*at;
		while (old_left > 0 || new_left > 0) {
			char c;
			if (*at == patch_count) die("the patch ends too early", name);
			c = *patch[*at];
			if (c == '-') old_left--;
			else if (c == '+') new_left--;
			else if (c == ' ' || c == 0) {
				old_left--;
				new_left--;
			} else if (c != '\\') die("the patch is damaged", patch[*at]);
			++*at;
		}
		end = *at;
		if (*at < patch_count && *patch[*at] == '\\') ++*at;
		place = line - 1 + shift;
		if (place < 0) place = 0;
		for (distance = 0; distance <= old.count; distance++) {
			if (place - distance >= done && fits(&old, place - distance, first, end)) {
				place -= distance;
				break;
			}
			if (place + distance >= done && fits(&old, place + distance, first, end)) {
				place += distance;
				break;
			}
		}
		if (distance > old.count) die("a part does not fit", join(join(name, " line "), format_number(line, 10)));
		shift = place - line + 1;
		while (done < place) add_line(&new, old.list[done++]);
		for (i = first; i < end; i++) {
			if (is_new(patch[i])) {
				add_line(&new, content(patch[i]));
				new.open_end = i + 1 < patch_count && *patch[i + 1] == '\\';
			}
			if (is_old(patch[i])) done++;
		}
		if (done < old.count) new.open_end = old.open_end;
	}
	while (done < old.count) add_line(&new, old.list[done++]);
	put_text("patching ");
	put_text(name);
	put_char('\n');
	if (!to) {
		if (new.count) die("is not empty after the patch that removes it", name);
		syscall(SYS_UNLINK, name, 0, 0);
		return;
	}
	b.size = 0;
	for (i = 0; i < new.count; i++) {
		append_text(&b, new.list[i]);
		if (i + 1 < new.count || !new.open_end) append_byte(&b, '\n');
	}
	write_file(name, b.bytes, b.size, mode);
}

int main(int argc, char **argv) {
	struct buffer b;
	struct lines l;
	char *input = "-";
	int files = 0;
	int i;
	program_name = "patch";
	memset((char *)&b, 0, sizeof(struct buffer));
	memset((char *)&l, 0, sizeof(struct lines));
	for (i = 1; i < argc; i++) {
		if (starts_with(argv[i], "-p")) strip = parse_number(argv[i] + 2, 10);
		else if (equal(argv[i], "-R")) reverse = 1;
		else if (equal(argv[i], "-i") && i + 1 < argc) input = argv[++i];
		else die("usage: patch [-pN] [-R] [-i PATCH]", 0);
	}
	need_file(input, &b);
	split(&l, &b);
	patch = l.list;
	patch_count = l.count;
	for (i = 0; i + 1 < patch_count;) {
		if (starts_with(patch[i], "--- ") && starts_with(patch[i + 1], "+++ ")) {
			char *from = path_of(patch[i]);
			char *to = path_of(patch[i + 1]);
			char *swap = from;
			if (reverse) {
				from = to;
				to = swap;
			}
			if (from && to) from = to;  /* both name the file as it is called here */
			i += 2;
			apply(from, to, &i);
			files++;
		} else i++;
	}
	if (files == 0) die("there is no difference in", input);
	return finish(0);
}
