/* tar: archives of files (POSIX ustar). The same files give the same archive: names in the
   order of their bytes, no owners, all times 1 second after the beginning of 1970.

   usage: tar -cf ARCHIVE FILE...     makes one
          tar -xf ARCHIVE             takes out all that is in it
          tar -tf ARCHIVE             names what is in it
   "-" is standard input or output. Of what is in an archive, files, folders and symbolic links
   are known; other entries are passed over. */

#include <io.h>
#include <folder.h>

struct buffer archive;
char header[512];

/* An octal number with a zero behind it. */
void put_octal(char *to, int width, int value) {
	to[--width] = 0;
	while (width > 0) {
		to[--width] = '0' + (value & 7);
		value >>= 3;
	}
}

void add_header(char *name, int mode, int size, int kind, char *link) {
	int n = strlen(name);
	int cut = 0;
	int sum = 0;
	int i;
	memset(header, 0, 512);
	if (n > 100) {             /* a part that ends before a "/" goes to the prefix */
		for (i = 0; i < n && i <= 155; i++) if (name[i] == '/' && n - i - 1 <= 100) break;
		if (i == n || i > 155) die("the name is too long", name);
		cut = i + 1;
		memcpy(header + 345, name, i);
	}
	memcpy(header, name + cut, n - cut);
	put_octal(header + 100, 8, mode);
	put_octal(header + 108, 8, 0);
	put_octal(header + 116, 8, 0);
	put_octal(header + 124, 12, size);
	put_octal(header + 136, 12, 1);
	memset(header + 148, ' ', 8);
	header[156] = kind;
	if (strlen(link) > 100) die("the link is too long", link);
	memcpy(header + 157, link, strlen(link));
	memcpy(header + 257, "ustar\0" "00", 8);
	for (i = 0; i < 512; i++) sum += header[i];
	put_octal(header + 148, 7, sum);
	append(&archive, header, 512);
}

void add(char *path) {
	struct stat s;
	if (lstat(path, &s) < 0) die("can not find", path);
	if (stat_kind(&s) == MODE_FOLDER) {
		char **names = list_folder(path);
		add_header(join_path(path, ""), stat_mode(&s) & 07777, 0, '5', "");
		for (; names && *names; names++) add(join_path(path, *names));
	} else if (stat_kind(&s) == MODE_LINK) {
		char *target = allocate(4096);
		syscall(SYS_READLINK, path, target, 4095);
		add_header(path, 0777, 0, '2', target);
	} else {
		struct buffer b;
		memset((char *)&b, 0, sizeof(struct buffer));
		need_file(path, &b);
		add_header(path, stat_mode(&s) & 07777, b.size, '0', "");
		append(&archive, b.bytes, b.size);
		memset(header, 0, 512);
		append(&archive, header, (512 - b.size % 512) % 512);
	}
}

/* Makes the folders that the path goes through. */
void make_folders(char *path) {
	int n;
	for (n = 1; path[n]; n++) if (path[n] == '/') syscall(SYS_MKDIR, copy_bytes(path, n), 0755, 0);
}

/* Does a path lead out of the current folder? */
int leads_out(char *path) {
	if (*path == '/') return 1;
	for (; *path; path++) {
		if (starts_with(path, "..") && (path[2] == '/' || path[2] == 0)) return 1;
		while (*path && *path != '/') path++;
		if (!*path) return 0;
	}
	return 0;
}

/* Takes an archive apart: names only, or all of it. */
void walk(int names_only) {
	int at = 0;
	while (at + 512 <= archive.size && archive.bytes[at]) {
		char *h = archive.bytes + at;
		char *name = copy_bytes(h, 100);
		char *link = copy_bytes(h + 157, 100);
		int mode = parse_number(h + 100, 8);
		int size = parse_number(h + 124, 8);
		int kind = h[156];
		int sum = 0;
		int i;
		for (i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : h[i];
		if (sum != parse_number(h[148] == ' ' ? h + 149 : h + 148, 8)) die("the archive is damaged at", name);
		if (h[345] && strncmp(h + 257, "ustar", 5) == 0) name = join_path(copy_bytes(h + 345, 155), name);
		at += 512;
		if (at + size > archive.size) die("the archive ends inside of", name);
		if (names_only) {
			put_text(name);
			put_char('\n');
		} else if (leads_out(name)) die("leads out of the folder", name);
		else if (kind == '5') {
			make_folders(name);
			syscall(SYS_MKDIR, name, 0777, 0);
			syscall(SYS_CHMOD, name, mode & 07777, 0);
		} else if (kind == '2') {
			make_folders(name);
			syscall(SYS_UNLINK, name, 0, 0);
			if (syscall(SYS_SYMLINK, link, name, 0) < 0) die("can not make", name);
		} else if (kind == '0' || kind == 0) {
			make_folders(name);
			syscall(SYS_UNLINK, name, 0, 0);
			write_file(name, archive.bytes + at, size, mode & 0777);
			syscall(SYS_CHMOD, name, mode & 07777, 0);
		}
		at += (size + 511) / 512 * 512;
	}
}

int main(int argc, char **argv) {
	int i;
	program_name = "tar";
	if (argc < 3) die("usage: tar -cf|-xf|-tf ARCHIVE [FILE...]", 0);
	if (equal(argv[1], "-cf") && argc > 3) {
		for (i = 3; i < argc; i++) add(argv[i]);
		memset(header, 0, 512);
		append(&archive, header, 512);
		append(&archive, header, 512);
		if (equal(argv[2], "-")) write_all(1, archive.bytes, archive.size);
		else write_file(argv[2], archive.bytes, archive.size, 0666);
	} else if (equal(argv[1], "-xf") || equal(argv[1], "-tf")) {
		need_file(argv[2], &archive);
		walk(argv[1][1] == 't');
	} else die("usage: tar -cf|-xf|-tf ARCHIVE [FILE...]", 0);
	return finish(0);
}
