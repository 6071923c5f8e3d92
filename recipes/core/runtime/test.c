/* test: checks the runtime. Prints the number of the first check that fails and ends with
   status 1. */

#include <io.h>
#include <process.h>
#include <folder.h>

int count;

void check(int holds) {
	count++;
	if (!holds) die("check failed", format_number(count, 10));
}

int main(int argc, char **argv) {
	struct buffer b;
	struct stat s;
	char **names;
	char *list[5];
	char *again[3];
	environment = argv + argc + 1;
	if (argc == 2) return 7;
	check(sizeof(struct stat) == 144);
	check(strlen("four") == 4 && equal("a", "a") && !equal("a", "ab") && strcmp("a", "b") < 0);
	check(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
	check(starts_with("prefix", "pre") && !starts_with("pr", "pre"));
	check(equal(strchr("a/b/c", '/'), "/b/c") && equal(strrchr("a/b/c", '/'), "/c") && strchr("a", 'b') == 0);
	check(find("hello", 5, "lo", 2) == 3 && find("hello", 5, "ol", 2) == -1);
	check(parse_number("-42x", 10) == -42 && parse_number("755", 8) == 493);
	check(is_number("-7") && !is_number("7a") && !is_number(""));
	check(equal(format_number(-1234567890123, 10), "-1234567890123") && equal(format_number(255, 16), "ff") && equal(format_number(0, 10), "0"));
	check(equal(base_name("/usr/bin/cc"), "cc"));
	check(equal(join_path("a", "b"), "a/b") && equal(join_path("a/", "b"), "a/b"));
	memset((char *)&b, 0, sizeof(struct buffer));
	for (int i = 0; i < 1000; i++) append_text(&b, "0123456789");
	check(b.size == 10000 && b.bytes[9999] == '9' && b.bytes[10000] == 0);
	write_file("test.out", b.bytes, b.size, 0640);
	check(stat("test.out", &s) == 0 && s.size == 10000 && stat_kind(&s) == MODE_FILE);
	check(stat("nowhere", &s) < 0);
	b.size = 0;
	check(read_file("test.out", &b) == 0 && b.size == 10000 && b.bytes[5001] == '1');
	list[0] = "pear"; list[1] = "apple"; list[2] = "fig"; list[3] = "apple"; list[4] = "b";
	sort(list, 5, text_before);
	check(list[0] != list[1] && equal(list[1], "apple") && equal(list[2], "b") && equal(list[4], "pear"));
	names = list_folder(".");
	check(names != 0 && names[0] != 0 && list_folder("test.out") == 0);
	again[0] = argv[0]; again[1] = "again"; again[2] = 0;
	check(run(again) == 7);
	again[0] = "nothing-has-this-name";
	check(run(again) == 127);
	check(get_environment("PATH") != 0 && get_environment("NOTHING") == 0);
	return finish(0);
}
