/* test: checks what cc knows of C beyond cc0, each thing once. Prints the number of the
   first check that fails and ends with status 1. */

struct point { int x; int y; };

struct shape {
	char kind;
	struct point at;
	char name[6];
	struct shape *next;
	int (*area)(struct shape *s);
};

int squares[] = { 1, 4, 9, 16, -25, 0x7fffffffffffffff };
char *days[3] = { "mon", "tue", "wed\t\"x\"\n" };
char text[] = "hello" " world";
char fixed[4] = "abcd";
int grid[3][4];
int table[2][3] = { { 1, 2, 3 }, { 4, 5 } };
struct point points[] = { { 1, 2 }, { 3 }, };
int global = 5;
char letter = 'x';
int *where = &global;
struct shape *all;

int len(const char *s) {
	int n = 0;
	while (*s++) n++;
	return n;
}

int count;

void check(int ok) {
	char d[4];
	count++;
	if (ok) return;
	d[0] = '0' + count / 100;
	d[1] = '0' + count / 10 % 10;
	d[2] = '0' + count % 10;
	d[3] = '\n';
	syscall(1, 2, d, 4);
	syscall(60, 1, 0, 0);
}

int area_box(struct shape *s) {
	return s->at.x * s->at.y;
}

int area_none(struct shape *s) {
	return 0;
}

int (*choices[2])(struct shape *s) = { area_box, area_none };
int fact(int n);

int fact(int n) {
	return n <= 1 ? 1 : n * fact(n - 1);
}

int which(int n) {
	switch (n) {
	case 1: return 10;
	case 2:
	case 3: n = 7; break;
	case 'a': n = 8;
	default: n += 100;
	}
	return n;
}

char narrow(int n) {
	return n;
}

void set(int *p, int v) {
	*p = v;
}

int many(int a, int b, int c, int d, int e, int f, int g) {
	return a + 10*b + 100*c + 1000*d + 10000*e + 100000*f + 1000000*g;
}

int apply(int x, int (*to)(int a, int b), int y) {
	return to(x, y);
}

int minus(int a, int b) {
	return a - b;
}

int main(int argc, char **argv) {
	int i, j, sum = 0;
	struct shape s, t;
	struct point p = points[0], *q = &s.at;
	char local[10];
	char c = 255;
	check(apply(7, minus, 2) == 5);
	check(0x1F == 31 && 017 == 15 && 0 == 00);
	check(squares[3] == 16 && squares[4] == -25 && squares[5] == 9223372036854775807);
	check(sizeof(squares) == 48);
	check(sizeof(struct shape) == 48);
	check(sizeof(text) == 12);
	check(sizeof(int) == 8 && sizeof(char *) == 8 && sizeof(char) == 1);
	check(days[2][3] == '\t' && len(days[2]) == 8);
	check(len(text) == 11);
	check(fixed[3] == 'd');
	for (i = 0; i < 3; i++) for (j = 0; j < 4; ++j) grid[i][j] = i * 10 + j;
	check(grid[2][3] == 23 && *(*(grid + 1) + 2) == 12 && &grid[1][0] - &grid[0][0] == 4);
	check(table[1][1] == 5 && table[1][2] == 0 && table[0][2] == 3);
	check(points[1].x == 3 && points[1].y == 0 && sizeof(points) / sizeof(struct point) == 2);
	check(p.x == 1 && p.y == 2);
	check(global == 5 && *where == 5); *where += 3;
	check(global == 8);
	s.kind = 'b'; q->x = 6; q->y = 7; s.next = &t; s.area = area_box; t = s; t.at.x++; s.next->at.y -= 2;
	check(t.at.x == 7 && t.at.y == 5 && s.at.x == 6);
	check(s.area(&s) == 42 && t.area(s.next) == 35 && (*s.area)(&t) == 35 && choices[1](&s) == 0 && choices[0](&t) == 35);
	check(fact(10) == 3628800);
	check(which(1) == 10 && which(2) == 7 && which(3) == 7 && which('a') == 108 && which(0) == 100);
	check(narrow(300) == 44); c++;
	check(c == 0); c--;
	check(c == 255); c += 2;
	check(c == 1);
	c = 0;
	check(c-- == 0 && c == 255 && c++ == 255 && c == 0);
	set(&i, 77);
	check(i == 77);
	{ int *r = squares;
	check(*r++ == 1 && *r == 4 && r - squares == 1 && *++r == 9 && r > squares && r[-1] == 4); r += 2;
	check(*r-- == -25 && *r == 16); }
	for (int k = 0; k < 10; k++) { if (k == 3) continue; if (k == 6) break; sum += k; } check(sum == 12);
	do { sum--; if (sum == 5) continue; } while (sum > 3);
	check(sum == 3);
	i = 0; while (1) { if (++i > 9) break; } check(i == 10);
	check((i > 5 ? "yes" : "no")[0] == 'y');
	check(minus(i ? 9 : 8, i == 0 ? 7 : 6) == 3);
	check((1, 2, 3) == 3);
	i = 5; i <<= 2;
	check(i == 20); i >>= 1; i |= 1; i ^= 2; i &= 13; i *= 3; i /= 2; i %= 8;
	check(i == 5);
	check(many(1,2,3,4,5,6,7) == 7654321);
	for (i = 0; i < 10; i++) local[i] = 'a' + i;
	check(local[9] == 'j' && *(local + 3) == 'd');
	check((char)(256 + 7) == 7);
	check((int)local == (int)&local[0]);
	check(*(char *)local == 'a');
	check(!(1 && 0) == 1 && (0 || 0) == 0 && (3 && 4) == 1);
	j = (i == 10) + (i != 10) * 2 + !i;
	check(j == 1);
	check(-7 / 2 == -3 && -7 % 3 == -1 && -8 >> 1 == -4 && ~0 == -1);
	i = -7;
	check(i / 2 == -3 && i % 3 == -1 && i >> 1 == -4 && ~i == 6 && -i == 7);
	i = 3000000000;
	check(i * 2 == 6000000000); i = 1 << 40;
	check(i == 1099511627776 && i / 1024 == 1073741824);
	letter++;
	check(letter == 'y'); all = 0;
	check(!all); all = &s;
	check(all && all->kind == 'b');
	all->name[2] = 'q';
	check(s.name[2] == 'q'); all->name[2]++;
	check(s.name[2] == 'r');
	i = 2; squares[i++] += 5;
	check(squares[2] == 14 && i == 3); squares[--i]++;
	check(squares[2] == 15 && i == 2);
	check("a\x41\0b"[1] == 'A');
	return 0;
}
