/* parse.c: expressions and statements of C. Knows the grammar; leaves the code to code.c. */

enum { STRINGS_MAX = 8192, CASES_MAX = 1024 };

int pending_label[STRINGS_MAX];  /* strings whose bytes are still to be written */
char *pending_text[STRINGS_MAX];
int pending_length[STRINGS_MAX];
int pending_count;

int function_type;               /* what the function gives */
int frame_size;                  /* how much of it the locals in scope take */
int frame_largest;
int break_label;
int continue_label;
int case_value[CASES_MAX];
int case_label[CASES_MAX];
int case_count;
int default_label;
int switch_depth;

int expression();
int assignment();
int type_name();
void local();
void statement();
void expression_statement();

int string_label() {
	int label = new_label();
	int i = 0;
	char *copy = allocate(string_length + 1);
	while (i <= string_length) {
		copy[i] = string_text[i];
		i = i + 1;
	}
	if (pending_count == STRINGS_MAX) fail("too many strings", 0);
	pending_label[pending_count] = label;
	pending_text[pending_count] = copy;
	pending_length[pending_count] = string_length;
	pending_count = pending_count + 1;
	next();
	return label;
}

/* Writes the strings that were met. */
void emit_strings() {
	int i = 0;
	while (i < pending_count) {
		char *text = pending_text[i];
		int n = 0;
		int plain = 1;
		while (n < pending_length[i]) {
			if (text[n] < ' ' || text[n] == '"' || text[n] > '~') plain = 0;
			n = n + 1;
		}
		emit_label(":", pending_label[i]);
		if (plain) {
			emit("\"");
			emit(text);
			emit("\"\n");
		} else {
			n = 0;
			while (n <= pending_length[i]) {
				emit_byte(text[n]);
				n = n + 1;
			}
			emit("\n");
		}
		i = i + 1;
	}
	pending_count = 0;
}

int call(int callee) {
	int last = 0;
	int count = 0;
	int type = node_type[callee];
	if (is_pointer(type)) type = type_base[type];
	if (type_kind[type] != T_FUNCTION) fail("this is no function", 0);
	if (node_kind[callee] == N_LOAD && type_kind[node_type[callee]] == T_FUNCTION) callee = node_a[callee];
	int node = new_node(N_CALL, type_base[type], callee, 0);
	while (word != ')') {
		int argument = value_of(assignment());
		if (is_scalar(node_type[argument]) == 0 || node_type[argument] == VOID) fail("this can not be handed over", 0);
		if (last) node_next[last] = argument;
		else node_b[node] = argument;
		last = argument;
		count = count + 1;
		if (accept(',') == 0) break;
	}
	expect(')');
	if (type_count[type] >= 0 && type_count[type] != count) fail("the number of arguments is wrong", 0);
	node_value[node] = count;
	return node;
}

int primary() {
	int node;
	if (word == NUMBER) {
		node = number_node(word_value);
		next();
		return node;
	}
	if (word == STRING) {
		node = new_node(N_STRING, pointer_to(CHAR), 0, 0);
		node_value[node] = string_label();
		return node;
	}
	if (accept('(')) {
		node = expression();
		expect(')');
		return node;
	}
	int name = expect_name();
	int symbol = name_symbol[name];
	if (symbol == 0) {
		if (word != '(') fail("nothing has the name", names[name]);
		fail("no function has the name", names[name]);
	}
	if (symbol_kind[symbol] == CONSTANT) return number_node(symbol_value[symbol]);
	node = new_node(N_SYMBOL, symbol_type[symbol], 0, 0);
	node_value[node] = symbol;
	return node;
}

int postfix() {
	int node = primary();
	while (1) {
		if (accept('[')) {
			node = load(operate('+', node, expression()));
			expect(']');
		} else if (accept('(')) node = call(node);
		else if (accept('.')) node = member(node, expect_name());
		else if (accept('-' + '>' * 256)) node = member(load(value_of(node)), expect_name());
		else if (word == '+' + '+' * 256 || word == '-' + '-' * 256) {
			int operator = word & 255;
			int type = node_type[node];
			int step = 1;
			if (is_pointer(type)) step = type_size[type_base[type]];
			next();
			node = update(operator, node, number_node(1));
			operator = '+' + '-' - operator;
			node = new_node(N_BINARY, type, node, number_node(step));
			node_value[node] = operator;
			if (type == CHAR) node = binary_node('&', INT, node, number_node(255));
		} else return node;
	}
}

int is_type() {
	return word == NAME && (word_value <= K_STRUCT || word_value == K_CONST);
}

int unary() {
	int node;
	int operator = word;
	if (accept('-')) {
		node = value_of(unary());
		if (is_number(node) == 0) return new_node(N_NEGATE, INT, node, 0);
		node_value[node] = -node_value[node];
		return node;
	}
	if (accept('~')) {
		node = value_of(unary());
		if (is_number(node) == 0) return new_node(N_INVERT, INT, node, 0);
		node_value[node] = ~node_value[node];
		return node;
	}
	if (accept('!')) {
		node = value_of(unary());
		if (is_number(node) == 0) return new_node(N_NOT, INT, node, 0);
		node_value[node] = !node_value[node];
		return node;
	}
	if (accept('*')) {
		node = value_of(unary());
		return load(node);
	}
	if (accept('&')) return address_of(unary());
	if (operator == '+' + '+' * 256 || operator == '-' + '-' * 256) {
		next();
		return update(operator & 255, unary(), number_node(1));
	}
	if (accept_keyword(K_SIZEOF)) {
		int type;
		expect('(');
		if (is_type()) type = type_name();
		else type = node_type[expression()];
		expect(')');
		if (type_size[type] == 0) fail("the size is not known", 0);
		return number_node(type_size[type]);
	}
	if (word == '(') {
		char *place = source;
		int line = input_line;
		next();
		if (is_type()) {
			int type = type_name();
			expect(')');
			node = value_of(unary());
			if (type == CHAR) node = binary_node('&', INT, node, number_node(255));
			else if (is_number(node) == 0) node = new_node(N_COMMA, type, number_node(0), node);
			node_type[node] = type;
			return node;
		}
		source = place;
		input_line = line;
		word = '(';
	}
	return postfix();
}

int rank_of(int operator) {
	if (operator == '*' || operator == '/' || operator == '%') return 10;
	if (operator == '+' || operator == '-') return 9;
	if (operator == '<' + '<' * 256 || operator == '>' + '>' * 256) return 8;
	if (comparison(operator) > 1 && comparison(operator) < 6) return 7;
	if (comparison(operator)) return 6;
	if (operator == '&') return 5;
	if (operator == '^') return 4;
	if (operator == '|') return 3;
	if (operator == '&' + '&' * 256) return 2;
	if (operator == '|' + '|' * 256) return 1;
	return 0;
}

int binary(int least) {
	int node = unary();
	int operator = word;
	int rank = rank_of(operator);
	while (rank >= least) {
		next();
		int right = binary(rank + 1);
		if (rank == 2) node = new_node(N_AND, INT, value_of(node), value_of(right));
		else if (rank == 1) node = new_node(N_OR, INT, value_of(node), value_of(right));
		else node = operate(operator, node, right);
		operator = word;
		rank = rank_of(operator);
	}
	return node;
}

int conditional() {
	int node = binary(1);
	if (accept('?')) {
		node = new_node(N_CHOOSE, INT, value_of(node), 0);
		int yes = value_of(expression());
		expect(':');
		int no = value_of(conditional());
		if (is_number(node_a[node])) {
			if (node_value[node_a[node]]) return yes;
			return no;
		}
		node_b[node] = yes;
		node_value[node] = no;
		node_type[node] = node_type[yes];
		if (is_number(yes)) node_type[node] = node_type[no];
	}
	return node;
}

int assignment() {
	int node = conditional();
	int operator = word;
	if (accept('=')) {
		int kind = node_kind[node];
		int value = value_of(assignment());
		int type = node_type[node];
		if (kind != N_SYMBOL && kind != N_LOAD) fail("this can not be changed", 0);
		if (is_scalar(type) == 0 && type_kind[type] != T_STRUCT) fail("this can not be changed", 0);
		if (type_kind[type] == T_STRUCT && node_type[value] != type) fail("this is another type", 0);
		if (is_scalar(type) && is_scalar(node_type[value]) == 0) fail("a struct is no number", 0);
		if (node_type[value] == VOID) fail("this has no value", 0);
		return new_node(N_ASSIGN, type, node, value);
	}
	if (operator >> 8 == '=' && comparison(operator) == 0) {
		next();
		return update(operator & 255, node, assignment());
	}
	if (operator >> 16 == '=') {
		next();
		return update(operator & 65535, node, assignment());
	}
	return node;
}

int expression() {
	int node = assignment();
	while (accept(',')) {
		int right = value_of(assignment());
		node = new_node(N_COMMA, node_type[right], node, right);
	}
	return node;
}

int constant() {
	int node = conditional();
	if (is_number(node) == 0) fail("this is no constant", 0);
	return node_value[node];
}

/* "(" expression ")", as a condition that goes to the label where it does not hold. */
void condition(int label) {
	expect('(');
	node_total = 0;
	jump(value_of(expression()), label, 0);
	expect(')');
}

void switch_statement() {
	int outer_break = break_label;
	int outer_default = default_label;
	int first = case_count;
	int dispatch = new_label();
	break_label = new_label();
	default_label = break_label;
	expect('(');
	node_total = 0;
	value_to_rax(value_of(expression()));
	expect(')');
	emit_label("jmp %", dispatch);
	switch_depth = switch_depth + 1;
	statement();
	switch_depth = switch_depth - 1;
	emit_label("jmp %", break_label);
	emit_label(":", dispatch);
	while (case_count > first) {
		case_count = case_count - 1;
		emit_number("cmp_rax,i32", case_value[case_count]);
		emit_label("je %", case_label[case_count]);
	}
	emit_label("jmp %", default_label);
	emit_label(":", break_label);
	break_label = outer_break;
	default_label = outer_default;
}

void for_statement() {
	int outer_break = break_label;
	int outer_continue = continue_label;
	int scope = symbol_total;
	int frame = frame_size;
	int test = new_label();
	int body = new_label();
	int step = 0;
	break_label = new_label();
	continue_label = new_label();
	expect('(');
	if (is_type()) local();
	else {
		expression_statement();
	}
	emit_label(":", test);
	node_total = 0;
	if (word != ';') jump(value_of(expression()), break_label, 0);
	expect(';');
	if (word != ')') {
		emit_label("jmp %", body);
		emit_label(":", continue_label);
		node_total = 0;
		effect(expression());
		emit_label("jmp %", test);
		emit_label(":", body);
		step = 1;
	}
	expect(')');
	statement();
	if (step) emit_label("jmp %", continue_label);
	else {
		emit_label(":", continue_label);
		emit_label("jmp %", test);
	}
	emit_label(":", break_label);
	break_label = outer_break;
	continue_label = outer_continue;
	forget(scope);
	frame_size = frame;
}

void while_statement() {
	int outer_break = break_label;
	int outer_continue = continue_label;
	break_label = new_label();
	continue_label = new_label();
	emit_label(":", continue_label);
	condition(break_label);
	statement();
	emit_label("jmp %", continue_label);
	emit_label(":", break_label);
	break_label = outer_break;
	continue_label = outer_continue;
}

void do_statement() {
	int outer_break = break_label;
	int outer_continue = continue_label;
	int again = new_label();
	break_label = new_label();
	continue_label = new_label();
	emit_label(":", again);
	statement();
	if (accept_keyword(K_WHILE) == 0) unexpected();
	emit_label(":", continue_label);
	condition(break_label);
	expect(';');
	emit_label("jmp %", again);
	emit_label(":", break_label);
	break_label = outer_break;
	continue_label = outer_continue;
}

void if_statement() {
	int no = new_label();
	condition(no);
	statement();
	if (accept_keyword(K_ELSE)) {
		int end = new_label();
		emit_label("jmp %", end);
		emit_label(":", no);
		statement();
		emit_label(":", end);
	} else emit_label(":", no);
}

void expression_statement() {
	node_total = 0;
	if (word != ';') effect(expression());
	expect(';');
}

void block() {
	int scope = symbol_total;
	int frame = frame_size;
	while (accept('}') == 0) {
		if (word == END) unexpected();
		statement();
	}
	forget(scope);
	frame_size = frame;
}

void statement() {
	if (accept('{')) block();
	else if (accept_keyword(K_IF)) if_statement();
	else if (accept_keyword(K_WHILE)) while_statement();
	else if (accept_keyword(K_FOR)) for_statement();
	else if (accept_keyword(K_DO)) do_statement();
	else if (accept_keyword(K_SWITCH)) switch_statement();
	else if (accept_keyword(K_BREAK)) {
		if (break_label == 0) fail("break outside of a loop", 0);
		emit_label("jmp %", break_label);
		expect(';');
	} else if (accept_keyword(K_CONTINUE)) {
		if (continue_label == 0) fail("continue outside of a loop", 0);
		emit_label("jmp %", continue_label);
		expect(';');
	} else if (accept_keyword(K_RETURN)) {
		node_total = 0;
		if (word != ';') {
			int node = value_of(expression());
			if (is_scalar(node_type[node]) == 0) fail("a struct can not be returned", 0);
			value_to_rax(node);
			if (function_type == CHAR) emit("movzx_eax,al\n");
		}
		expect(';');
		emit("leave ret\n");
	} else if (accept_keyword(K_CASE)) {
		if (switch_depth == 0) fail("case outside of a switch", 0);
		if (case_count == CASES_MAX) fail("too many cases", 0);
		node_total = 0;
		case_value[case_count] = constant();
		case_label[case_count] = new_label();
		expect(':');
		emit_label(":", case_label[case_count]);
		case_count = case_count + 1;
	} else if (accept_keyword(K_DEFAULT)) {
		if (switch_depth == 0) fail("default outside of a switch", 0);
		default_label = new_label();
		expect(':');
		emit_label(":", default_label);
	} else if (is_type()) local();
	else expression_statement();
}
