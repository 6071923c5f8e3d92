/* sh: the shell. It is this file, which reads scripts into trees, expand.c, which makes
   arguments of their words, execute.c, which carries them out, and builtin.c, the commands
   of its own.

   usage: sh [-eux] [FILE | -c SCRIPT [NAME]] [ARGUMENT...]
   Of the POSIX shell it knows: pipelines, && || ! ; { } ( ), if for while until case,
   functions, redirections < > >> << <<- >& <&, quotes, $name ${name} ${name-word} ${name=word}
   ${name+word} ${name#pattern} ${name%pattern} (with ":", and doubled), $(command), $((sum)),
   file name patterns, and the commands . : [ break cd continue echo eval exec exit export
   false pwd read return set shift test true umask unset wait. There are no jobs: "&" is
   refused. */

#include <io.h>
#include <process.h>
#include <folder.h>

enum {
	COMMAND = 1, PIPE, AND, OR, SEQUENCE, NOT, IF, WHILE, UNTIL, FOR, CASE, GROUP, SUBSHELL,
	FUNCTION,
};

struct word {
	char *text;              /* as it is written, with its quotes */
	struct word *next;
};

struct redirection {
	int kind;                /* '<', '>', 'a' to append, '&' a copy, 'h' a text */
	int file;                /* the descriptor that changes */
	char *word;              /* the path, the other descriptor or the text */
	int expand;              /* is the text expanded? */
	char *end;               /* the line that ends the text */
	int strip;               /* are leading tabs taken off it? */
	struct redirection *next;
	struct redirection *next_text;
};

struct node {
	int kind;
	struct node *a;
	struct node *b;
	struct node *c;
	char *name;              /* of FOR and FUNCTION; the word of CASE */
	struct word *words;      /* of COMMAND and FOR; patterns in a branch of CASE */
	int in;                  /* has FOR an "in"? */
	struct redirection *redirections;
	struct node *next;       /* branches of CASE */
};

char *source;                    /* the next character of the script */
char *word_text;                 /* the current word, 0 for an operator or the end */
int operator;                    /* the operator: ';' '&' '|' '<' '>' '(' ')' '\n', 'A' &&, 'O' ||,
                                    'D' ;;, 'P' >>, 'H' <<, 'T' <<-, 'd' >&, 'c' <&, 0 the end */
int word_follows;                /* a number ends right before < or > */
struct redirection *texts;       /* whose lines come after this line */

void fail(char *what, char *name) {
	warn(what, name);
	exit(2);
}

#include "expand.c"

/* The lines of << that were announced on the line before. */
void read_texts() {
	struct redirection *r = texts;
	for (; r; r = r->next_text) {
		struct buffer b;
		memset((char *)&b, 0, sizeof(struct buffer));
		append_text(&b, "");
		while (1) {
			int n = 0;
			if (r->strip) while (*source == '\t') source++;
			if (*source == 0) break;
			while (source[n] && source[n] != '\n') n++;
			if (n == strlen(r->end) && strncmp(source, r->end, n) == 0) {
				source += n;
				if (*source) source++;
				break;
			}
			append(&b, source, n);
			append_byte(&b, '\n');
			source += n;
			if (*source) source++;
		}
		r->word = b.bytes;
	}
	texts = 0;
}

/* Takes the next word or operator. */
void next() {
	char *start;
	word_text = 0;
	word_follows = 0;
	while (*source == ' ' || *source == '\t' || *source == '\\' && source[1] == '\n') source += 1 + (*source == '\\');
	if (*source == '#') while (*source && *source != '\n') source++;
	operator = *source;
	if (operator == 0) return;
	if (strchr("\n;&|<>()", operator)) {
		source++;
		if (operator == '\n') read_texts();
		else if (operator == *source && strchr("&|;<>", operator)) {
			source++;
			if (operator == '&') operator = 'A';
			else if (operator == '|') operator = 'O';
			else if (operator == ';') operator = 'D';
			else if (operator == '>') operator = 'P';
			else if (*source == '-') {
				operator = 'T';
				source++;
			} else operator = 'H';
		} else if (*source == '&' && (operator == '>' || operator == '<')) {
			source++;
			operator = operator == '>' ? 'd' : 'c';
		}
		return;
	}
	start = source;
	source = word_end(source);
	word_text = copy_bytes(start, source - start);
	word_follows = (*source == '<' || *source == '>') && is_number(word_text);
	operator = 'w';
}

int is_word(char *text) {
	return word_text && equal(word_text, text);
}

void expect_word(char *text) {
	if (!is_word(text)) fail("expected", text);
	next();
}

void skip_lines() {
	while (operator == '\n') next();
}

struct node *new_node(int kind, struct node *a, struct node *b) {
	struct node *n = (struct node *)allocate(sizeof(struct node));
	n->kind = kind;
	n->a = a;
	n->b = b;
	return n;
}

struct node *list();
struct node *list_command();

/* A redirection, if there is one, goes to the end of the node's. */
int redirection(struct node *n) {
	struct redirection *r;
	struct redirection *last;
	int file = -1;
	if (word_follows) {
		file = parse_number(word_text, 10);
		next();
	}
	if (operator == 'w' || operator == 0 || !strchr("<>PHTdc", operator)) return 0;
	r = (struct redirection *)allocate(sizeof(struct redirection));
	r->file = file >= 0 ? file : operator == '>' || operator == 'P' || operator == 'd';
	r->kind = operator;
	if (operator == 'P') r->kind = 'a';
	if (operator == 'd' || operator == 'c') r->kind = '&';
	r->strip = operator == 'T';
	if (operator == 'H' || operator == 'T') r->kind = 'h';
	next();
	if (!word_text) fail("a redirection wants a word", 0);
	r->word = word_text;
	if (r->kind == 'h') {
		r->expand = !strchr(word_text, '\'') && !strchr(word_text, '"') && !strchr(word_text, '\\');
		r->end = unquote(word_text);
		r->next_text = texts;
		if (texts) {
			struct redirection *t = texts;
			while (t->next_text) t = t->next_text;
			t->next_text = r;
			r->next_text = 0;
		} else texts = r;
	}
	next();
	if (n->redirections) {
		for (last = n->redirections; last->next; last = last->next) {}
		last->next = r;
	} else n->redirections = r;
	return 1;
}

struct word *new_word(char *text) {
	struct word *w = (struct word *)allocate(sizeof(struct word));
	w->text = text;
	return w;
}

struct node *simple() {
	struct node *n = new_node(COMMAND, 0, 0);
	struct word *last = 0;
	while (1) {
		if (redirection(n)) continue;
		if (!word_text) break;
		if (last) {
			last->next = new_word(word_text);
			last = last->next;
		} else {
			last = new_word(word_text);
			n->words = last;
		}
		next();
		if (operator == '(' && n->words == last && !last->next && is_name(last->text)) {
			struct node *f = new_node(FUNCTION, 0, 0);
			next();
			if (operator != ')') fail("expected", ")");
			next();
			skip_lines();
			f->name = last->text;
			f->a = list_command();
			return f;
		}
	}
	if (!n->words && !n->redirections) {
		if (operator == '&') fail("there are no jobs", "&");
		fail("a command is missing", word_text ? word_text : 0);
	}
	return n;
}

struct node *if_rest() {
	struct node *n = new_node(IF, list(), 0);
	expect_word("then");
	n->b = list();
	if (is_word("elif")) {
		next();
		n->c = if_rest();
		return n;
	}
	if (is_word("else")) {
		next();
		n->c = list();
	}
	expect_word("fi");
	return n;
}

struct node *do_rest() {
	struct node *body;
	skip_lines();
	expect_word("do");
	body = list();
	expect_word("done");
	return body;
}

struct node *for_rest() {
	struct node *n = new_node(FOR, 0, 0);
	struct word *last = 0;
	if (!word_text || !is_name(word_text)) fail("for wants a name", 0);
	n->name = word_text;
	next();
	skip_lines();
	if (is_word("in")) {
		n->in = 1;
		for (next(); word_text; next()) {
			struct word *w = new_word(word_text);
			if (last) last->next = w;
			else n->words = w;
			last = w;
		}
	}
	if (operator == ';') next();
	n->a = do_rest();
	return n;
}

struct node *case_rest() {
	struct node *n = new_node(CASE, 0, 0);
	struct node *last = 0;
	if (!word_text) fail("case wants a word", 0);
	n->name = word_text;
	next();
	skip_lines();
	expect_word("in");
	skip_lines();
	while (!is_word("esac")) {
		struct node *branch = new_node(CASE, 0, 0);
		struct word *pattern = 0;
		if (operator == '(') next();
		while (1) {
			struct word *w;
			if (!word_text) fail("case wants a pattern", 0);
			w = new_word(word_text);
			w->next = pattern;
			pattern = w;
			next();
			if (operator != '|') break;
			next();
		}
		branch->words = pattern;
		if (operator != ')') fail("expected", ")");
		next();
		branch->a = list();
		if (last) last->next = branch;
		else n->a = branch;
		last = branch;
		if (operator != 'D') break;
		next();
		skip_lines();
	}
	expect_word("esac");
	return n;
}

struct node *list_command() {
	struct node *n = 0;
	if (operator == '(') {
		next();
		n = new_node(SUBSHELL, list(), 0);
		if (operator != ')') fail("expected", ")");
		next();
	} else if (is_word("{")) {
		next();
		n = new_node(GROUP, list(), 0);
		expect_word("}");
	} else if (is_word("if")) {
		next();
		n = if_rest();
	} else if (is_word("while") || is_word("until")) {
		int kind = is_word("while") ? WHILE : UNTIL;
		next();
		n = new_node(kind, list(), 0);
		n->b = do_rest();
	} else if (is_word("for")) {
		next();
		n = for_rest();
	} else if (is_word("case")) {
		next();
		n = case_rest();
	}
	if (!n) return simple();
	while (redirection(n)) {}
	return n;
}

struct node *pipeline() {
	struct node *n;
	if (is_word("!")) {
		next();
		return new_node(NOT, pipeline(), 0);
	}
	n = list_command();
	if (operator == '|') {
		next();
		skip_lines();
		n = new_node(PIPE, n, pipeline());
	}
	return n;
}

struct node *and_or() {
	struct node *n = pipeline();
	while (operator == 'A' || operator == 'O') {
		int kind = operator == 'A' ? AND : OR;
		next();
		skip_lines();
		n = new_node(kind, n, pipeline());
	}
	return n;
}

/* Does a word end a list of commands? */
int ends_list() {
	return operator == 0 || operator == ')' || operator == 'D' || is_word("then") || is_word("else")
		|| is_word("elif") || is_word("fi") || is_word("do") || is_word("done") || is_word("}") || is_word("esac");
}

struct node *list() {
	struct node *n = 0;
	skip_lines();
	while (!ends_list()) {
		struct node *command = and_or();
		n = n ? new_node(SEQUENCE, n, command) : command;
		if (operator == '&') fail("there are no jobs", "&");
		if (operator != ';' && operator != '\n') break;
		next();
		skip_lines();
	}
	return n;
}

/* The script as a tree, 0 where it is empty. */
struct node *parse(char *script) {
	char *outer = source;
	int outer_operator = operator;
	char *outer_word = word_text;
	struct node *n;
	source = script;
	next();
	n = list();
	if (operator) {
		char text[2];
		text[0] = operator;
		text[1] = 0;
		fail("unexpected", word_text ? word_text : copy_text(text));
	}
	source = outer;
	operator = outer_operator;
	word_text = outer_word;
	return n;
}

#include "execute.c"

int main(int argc, char **argv) {
	struct buffer script;
	int i = 1;
	program_name = "sh";
	memset((char *)&script, 0, sizeof(struct buffer));
	environment = argv + argc + 1;
	import_variables();
	while (i < argc && argv[i][0] == '-') set_options(argv[i++], 1);
	parameters = argv + argc;
	shell_name = argv[0];
	if (script_is_argument) {
		if (i == argc) fail("-c wants a script", 0);
		append_text(&script, argv[i++]);
		if (i < argc) shell_name = argv[i++];
	} else if (i < argc) {
		shell_name = argv[i];
		need_file(argv[i++], &script);
	} else {
		append(&script, "", 0);
		read_open(0, &script);
	}
	parameters = argv + i;
	parameter_count = argc - i;
	execute_list(script.bytes);
	return finish(last_status);
}
