/* queens: sets queens on a board so that none attacks another; shows the first way and how
   many there are.

   usage: queens [SIZE] */

#include <io.h>

enum { MAX = 12 };

int column[MAX];             /* of the queen in each row */
int ways;

int attacked(int row) {
	int i;
	for (i = 0; i < row; i++) {
		int d = column[i] - column[row];
		if (d == 0 || d == row - i || d == i - row) return 1;
	}
	return 0;
}

void place(int row, int size) {
	int i;
	int j;
	if (row == size) {
		if (ways++) return;
		for (i = 0; i < size; i++) {
			for (j = 0; j < size; j++) put_text(column[i] == j ? "Q " : ". ");
			put_char('\n');
		}
		return;
	}
	for (i = 0; i < size; i++) {
		column[row] = i;
		if (!attacked(row)) place(row + 1, size);
	}
}

int main(int argc, char **argv) {
	int size = argc > 1 ? parse_number(argv[1], 10) : 8;
	program_name = "queens";
	if (size < 1 || size > MAX) die("usage: queens [1-12]", 0);
	place(0, size);
	put_number(ways);
	put_text(" ways\n");
	return finish(0);
}
