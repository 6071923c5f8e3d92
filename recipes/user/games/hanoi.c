/* hanoi: moves a tower of disks, never a larger one on a smaller.

   usage: hanoi [DISKS] */

#include <io.h>

int moves;

void move(int disks, int from, int to, int other) {
	if (disks == 0) return;
	move(disks - 1, from, other, to);
	put_text("disk ");
	put_number(disks);
	put_text(": ");
	put_char(from);
	put_text(" -> ");
	put_char(to);
	put_char('\n');
	moves++;
	move(disks - 1, other, to, from);
}

int main(int argc, char **argv) {
	int disks = argc > 1 ? parse_number(argv[1], 10) : 3;
	program_name = "hanoi";
	if (disks < 1 || disks > 20) die("usage: hanoi [1-20]", 0);
	move(disks, 'A', 'C', 'B');
	put_number(moves);
	put_text(" moves\n");
	return finish(0);
}
