/* test: checks what cc0 knows of C, each thing once; started as "./test one two".
   Prints the number of the first check that fails and ends with status 1. */

enum { ONE = 1, FIVE = 5, SIX, };

char digits[32];
char *names[SIX];
int table[10];
int total;

int check_number;
int value;

int length(char *text);

int length(char *text) {
	int n = 0;
	while (text[n] != 0) {
		n = n + 1;
	}
	return n;
}

void check(int holds) {
	check_number = check_number + 1;
	if (holds) return;
	digits[0] = '0' + check_number / 10;
	digits[1] = '0' + check_number % 10;
	digits[2] = '\n';
	syscall(1, 2, digits, 3);
	syscall(60, 1, 0, 0);
}

int count() {
	total = total + 1;
	return total;
}

int fibonacci(int n) {
	if (n < 2) return n;
	return fibonacci(n - 1) + fibonacci(n - 2);
}

int loops() {
	int sum = 0;
	int i = 0;
	while (ONE) {
		int square = i * i;
		int odd;
		odd = square % 2;
		i = i + 1;
		if (odd) continue;
		if (i > 9) {
			int last = sum;
			break;
		}
		sum = sum + square;
	}
	return sum;
}

int main(int count_of_arguments, char **arguments) {
	char byte = 300;
	int *words;
	check(count_of_arguments == 3);
	check(length(arguments[1]) == 3);
	check(arguments[2][0] == 't');
	check(*arguments[2] == 't');
	check(SIX == 6);
	check(fibonacci(15) == 610);
	check(loops() == 0 + 4 + 16 + 36 + 64);
	check(1 + 2 * 3 - 8 / 4 == 5);
	check((1 + 2) * 3 == 9);
	check(-7 / 2 == -3);
	check(-7 % 2 == -1);
	check((1 << 10 | 3) == 1027);
	check(-16 >> 2 == -4);
	check((6 & 3) == 2);
	check((6 ^ 3) == 5);
	check(~5 == -6);
	check(!5 == 0);
	check(!0 == 1);
	check(3 < 4 && 4 <= 4 && 5 > 4 && 5 >= 5 && 5 != 4);
	check(-1 < 1);
	check(0 || 2);
	total = 0;
	if (0 && count()) total = 10;
	if (1 || count()) total = total + 1;
	check(total == 1);
	check(count() + count() == 5);
	check(byte == 44); // a char has 8 bits
	check((value = byte = 257) == 1);
	names[2] = "two\t\"";
	check(names[2][3] == '\t' && names[2][4] == '"' && names[2][5] == 0);
	table[9] = total = 7;
	words = table;
	check(words[4 + 5] == 7 && total == 7);
	check(length("") == 0);
	if (total == 3) check(0);
	else if (total == 7) check(1);
	else check(0);
	return 0;
}
