/* code.c: from trees to words of m1. Knows the processor: the value of an expression is left
   in RAX; the right operand is taken to RCX at once where it is simple, else the left one
   waits on the stack. Arguments are pushed first to last and taken off by the caller; locals
   are below RBP. */

void value_to_rax(int node);
void effect(int node);
void store_rcx(int type);

/* The value of a symbol or number that is neither char nor struct takes one instruction. */
int is_simple(int node) {
	int kind = node_kind[node];
	if (kind == N_NUMBER) return node_value[node] << 32 >> 32 == node_value[node];
	if (kind != N_SYMBOL) return 0;
	kind = symbol_kind[node_value[node]];
	if (kind != LOCAL && kind != GLOBAL) return 0;
	return is_scalar(node_type[node]) && node_type[node] != CHAR;
}

void simple_to_rcx(int node) {
	int value = node_value[node];
	if (is_number(node)) emit_number("mov_rcx,i32", value);
	else if (symbol_kind[value] == LOCAL) emit_number("mov_rcx,[rbp+i32]", symbol_value[value]);
	else emit_number("mov_rcx,[i32]", symbol_value[value]);
}

void number_to_rax(int value) {
	if (value == 0) emit("xor_eax,eax\n");
	else if (value << 32 >> 32 == value) emit_number("mov_rax,i32", value);
	else {
		int i = 0;
		emit("mov_rax,i64 ");
		while (i < 8) {
			emit_byte(value >> i * 8);
			i = i + 1;
		}
		emit("\n");
	}
}

/* The place of a global with initial values or of a function. */
void emit_symbol(char *text, int symbol) {
	emit(text);
	if (symbol_kind[symbol] == FUNCTION) emit("f_");
	else emit("d_");
	emit(names[symbol_name[symbol]]);
	emit("\n");
}

void address_to_rax(int node) {
	int kind = node_kind[node];
	int value = node_value[node];
	if (kind == N_LOAD) {
		value_to_rax(node_a[node]);
		return;
	}
	if (kind != N_SYMBOL) fail("this has no address", 0);
	kind = symbol_kind[value];
	if (kind == LOCAL) emit_number("lea_rax,[rbp+i32]", symbol_value[value]);
	else if (kind == GLOBAL) emit_number("mov_rax,i32", symbol_value[value]);
	else emit_symbol("mov_eax,i32 &", value);
}

/* RAX = RAX operator RCX. */
void emit_operator(int operator) {
	if (operator == '+') emit("add_rax,rcx\n");
	else if (operator == '-') emit("sub_rax,rcx\n");
	else if (operator == '*') emit("imul_rax,rcx\n");
	else if (operator == '/') emit("cqo idiv_rcx\n");
	else if (operator == '%') emit("cqo idiv_rcx mov_rax,rdx\n");
	else if (operator == '&') emit("and_rax,rcx\n");
	else if (operator == '|') emit("or_rax,rcx\n");
	else if (operator == '^') emit("xor_rax,rcx\n");
	else if (operator == '<' + '<' * 256) emit("shl_rax,cl\n");
	else if (operator == '>' + '>' * 256) emit("sar_rax,cl\n");
	else fail("no such operator", 0);
}

/* The rank of a comparison, 0 where the operator is none; 7 less the rank is its opposite. */
int comparison(int operator) {
	if (operator == '=' + '=' * 256) return 1;
	if (operator == '<') return 2;
	if (operator == '<' + '=' * 256) return 3;
	if (operator == '>') return 4;
	if (operator == '>' + '=' * 256) return 5;
	if (operator == '!' + '=' * 256) return 6;
	return 0;
}

/* Both operands of a node: RAX and RCX. */
void operands(int node) {
	int b = node_b[node];
	value_to_rax(node_a[node]);
	if (is_simple(b)) simple_to_rcx(b);
	else {
		emit("push_rax\n");
		value_to_rax(b);
		emit("mov_rcx,rax pop_rax\n");
	}
}

void compare(int node) {
	int b = node_b[node];
	if (is_number(b) && is_simple(b)) {
		value_to_rax(node_a[node]);
		if (node_value[b] == 0) emit("test_rax,rax\n");
		else emit_number("cmp_rax,i32", node_value[b]);
	} else {
		operands(node);
		emit("cmp_rax,rcx\n");
	}
}

void binary_to_rax(int node) {
	int operator = node_value[node];
	int b = node_b[node];
	int rank = comparison(operator);
	if (rank) {
		compare(node);
		if (rank == 1) emit("sete_al");
		else if (rank == 2) emit("setl_al");
		else if (rank == 3) emit("setle_al");
		else if (rank == 4) emit("setg_al");
		else if (rank == 5) emit("setge_al");
		else emit("setne_al");
		emit(" movzx_eax,al\n");
	} else if (is_number(b) && is_simple(b) && (operator == '+' || operator == '-' || operator == '*' || operator == '&')) {
		value_to_rax(node_a[node]);
		if (operator == '+') emit_number("add_rax,i32", node_value[b]);
		else if (operator == '-') emit_number("sub_rax,i32", node_value[b]);
		else if (operator == '&') emit_number("and_rax,i32", node_value[b]);
		else emit_number("imul_rax,rax,i32", node_value[b]);
	} else {
		operands(node);
		emit_operator(operator);
	}
}

/* Goes to the label where the truth of the node is this one. */
void jump(int node, int label, int truth) {
	int kind = node_kind[node];
	int rank = 0;
	if (kind == N_BINARY) rank = comparison(node_value[node]);
	if (kind == N_NOT) jump(node_a[node], label, !truth);
	else if (kind == N_AND || kind == N_OR) {
		if ((kind == N_OR) == truth) {
			jump(node_a[node], label, truth);
			jump(node_b[node], label, truth);
		} else {
			int past = new_label();
			jump(node_a[node], past, !truth);
			jump(node_b[node], label, truth);
			emit_label(":", past);
		}
	} else if (kind == N_NUMBER) {
		if ((node_value[node] != 0) == truth) emit_label("jmp %", label);
	} else if (rank) {
		compare(node);
		if (truth == 0) rank = 7 - rank;
		if (rank == 1) emit_label("je %", label);
		else if (rank == 2) emit_label("jl %", label);
		else if (rank == 3) emit_label("jle %", label);
		else if (rank == 4) emit_label("jg %", label);
		else if (rank == 5) emit_label("jge %", label);
		else emit_label("jne %", label);
	} else {
		value_to_rax(node);
		emit("test_rax,rax\n");
		if (truth) emit_label("jne %", label);
		else emit_label("je %", label);
	}
}

/* RAX to the symbol; RAX is the value that it has then. */
void store_symbol(int symbol) {
	int kind = symbol_kind[symbol];
	int is_char = symbol_type[symbol] == CHAR;
	int value = symbol_value[symbol];
	if (kind == DATA) {
		emit_symbol("mov_ecx,i32 &", symbol);
		store_rcx(symbol_type[symbol]);
		return;
	}
	if (kind == LOCAL) {
		if (is_char) emit_number("mov_[rbp+i32],al", value);
		else emit_number("mov_[rbp+i32],rax", value);
	} else {
		if (is_char) emit_number("mov_[i32],al", value);
		else emit_number("mov_[i32],rax", value);
	}
	if (is_char) emit("movzx_eax,al\n");
}

/* RAX to where RCX points. */
void store_rcx(int type) {
	if (type == CHAR) emit("mov_[rcx],al movzx_eax,al\n");
	else emit("mov_[rcx],rax\n");
}

void assign_to_rax(int node) {
	int a = node_a[node];
	int b = node_b[node];
	int type = node_type[a];
	if (type_kind[type] == T_STRUCT) {
		address_to_rax(a);
		emit("push_rax\n");
		address_to_rax(b);
		emit_number("mov_rsi,rax pop_rdi mov_ecx,i32", type_size[type]);
		emit("rep_movsb\n");
	} else if (node_kind[a] == N_SYMBOL) {
		value_to_rax(b);
		store_symbol(node_value[a]);
	} else if (is_simple(b)) {
		address_to_rax(a);
		simple_to_rcx(b);
		if (type == CHAR) emit("mov_[rax],cl movzx_eax,cl\n");
		else emit("mov_[rax],rcx mov_rax,rcx\n");
	} else {
		address_to_rax(a);
		emit("push_rax\n");
		value_to_rax(b);
		emit("pop_rcx\n");
		store_rcx(type);
	}
}

void load_rax(int type) {
	if (type == CHAR) emit("movzx_eax,byte[rax]\n");
	else if (is_scalar(type)) emit("mov_rax,[rax]\n");
}

void update_to_rax(int node) {
	int a = node_a[node];
	int b = node_b[node];
	if (node_kind[a] == N_SYMBOL) {
		int changed = new_node(N_BINARY, node_type[node], a, b);
		node_value[changed] = node_value[node];
		binary_to_rax(changed);
		store_symbol(node_value[a]);
		return;
	}
	address_to_rax(a);
	emit("push_rax\n");
	load_rax(node_type[a]);
	if (is_simple(b)) simple_to_rcx(b);
	else {
		emit("push_rax\n");
		value_to_rax(b);
		emit("mov_rcx,rax pop_rax\n");
	}
	emit_operator(node_value[node]);
	emit("pop_rcx\n");
	store_rcx(node_type[a]);
}

void call_to_rax(int node) {
	int callee = node_a[node];
	int argument = node_b[node];
	while (argument) {
		int symbol = node_value[argument];
		if (is_number(argument) && is_simple(argument)) emit_number("push_i32", symbol);
		else if (is_simple(argument) && symbol_kind[symbol] == LOCAL) emit_number("push_qword[rbp+i32]", symbol_value[symbol]);
		else {
			value_to_rax(argument);
			emit("push_rax\n");
		}
		argument = node_next[argument];
	}
	if (node_kind[callee] == N_SYMBOL && type_kind[node_type[callee]] == T_FUNCTION) emit_symbol("call %", node_value[callee]);
	else {
		value_to_rax(callee);
		emit("call_rax\n");
	}
	if (node_value[node]) emit_number("add_rsp,i32", node_value[node] * 8);
}

void symbol_to_rax(int node) {
	int symbol = node_value[node];
	int kind = symbol_kind[symbol];
	int type = node_type[node];
	if (is_scalar(type) == 0) address_to_rax(node);
	else if (kind == LOCAL) {
		if (type == CHAR) emit_number("movzx_eax,byte[rbp+i32]", symbol_value[symbol]);
		else emit_number("mov_rax,[rbp+i32]", symbol_value[symbol]);
	} else if (kind == GLOBAL) {
		if (type == CHAR) emit_number("movzx_eax,byte[i32]", symbol_value[symbol]);
		else emit_number("mov_rax,[i32]", symbol_value[symbol]);
	} else {
		address_to_rax(node);
		load_rax(type);
	}
}

void value_to_rax(int node) {
	int kind = node_kind[node];
	int a = node_a[node];
	if (kind == N_NUMBER) number_to_rax(node_value[node]);
	else if (kind == N_STRING) emit_label("mov_eax,i32 &", node_value[node]);
	else if (kind == N_SYMBOL) symbol_to_rax(node);
	else if (kind == N_LOAD) {
		value_to_rax(a);
		load_rax(node_type[node]);
	} else if (kind == N_ADDRESS) address_to_rax(a);
	else if (kind == N_ASSIGN) assign_to_rax(node);
	else if (kind == N_UPDATE) update_to_rax(node);
	else if (kind == N_BINARY) binary_to_rax(node);
	else if (kind == N_NEGATE) {
		value_to_rax(a);
		emit("neg_rax\n");
	} else if (kind == N_INVERT) {
		value_to_rax(a);
		emit("not_rax\n");
	} else if (kind == N_COMMA) {
		effect(a);
		value_to_rax(node_b[node]);
	} else if (kind == N_CALL) call_to_rax(node);
	else {
		int no = new_label();
		int end = new_label();
		if (kind == N_CHOOSE) {
			jump(a, no, 0);
			value_to_rax(node_b[node]);
			emit_label("jmp %", end);
			emit_label(":", no);
			value_to_rax(node_value[node]);
		} else {
			jump(node, no, 0);
			emit_number("mov_rax,i32", 1);
			emit_label("jmp %", end);
			emit_label(":", no);
			emit("xor_eax,eax\n");
		}
		emit_label(":", end);
	}
}

/* Computes a node whose value nobody wants. */
void effect(int node) {
	while (node_kind[node] == N_BINARY && is_number(node_b[node])) node = node_a[node];
	if (is_number(node) == 0) value_to_rax(node);
}
