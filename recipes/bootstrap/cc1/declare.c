/* declare.c: declarations, initial values, functions, and the program as a whole. */

enum { GLOBALS_BEGIN = 67108864, GLOBALS_END = 205520896 };  /* 0x4000000, 0xC400000 */

int global_next;              /* the address of the next global without initial values */
int declared_name;            /* what the last declarator declared, 0 where it had no name */
int parameter_names[64];      /* of the last function declarator */
int parameter_types[64];
int parameter_count;
int parameter_top;            /* taken by declarators that are not complete yet */
int emitted;                  /* how many bytes of the initial value were written */

int base_type();
int declarator(int type);

void struct_members(int type) {
	int last = 0;
	int offset = 0;
	int align = 1;
	while (accept('}') == 0) {
		int base = base_type();
		while (1) {
			int member = declarator(base);
			if (type_size[member] == 0) fail("a member has no size", 0);
			if (declared_name == 0) unexpected();
			if (find_member(type, declared_name)) fail("this member is there already", names[declared_name]);
			member_total = member_total + 1;
			if (member_total == MEMBERS_MAX) fail("too many members", 0);
			offset = round_up(offset, type_align[member]);
			if (type_align[member] > align) align = type_align[member];
			member_name[member_total] = declared_name;
			member_type[member_total] = member;
			member_offset[member_total] = offset;
			offset = offset + type_size[member];
			if (last) member_next[last] = member_total;
			else type_members[type] = member_total;
			last = member_total;
			if (accept(',') == 0) break;
		}
		expect(';');
	}
	type_align[type] = align;
	type_size[type] = round_up(offset, align);
}

int struct_type() {
	int tag = 0;
	int type = 0;
	if (word != '{') tag = expect_name();
	if (tag) type = name_tag[tag];
	if (type == 0) {
		type = new_type(T_STRUCT, 0, 0, 8);
		if (tag) name_tag[tag] = type;
	}
	if (accept('{')) {
		if (type_size[type]) fail("this struct is there already", names[tag]);
		struct_members(type);
	}
	return type;
}

int base_type() {
	while (accept_keyword(K_CONST)) {}
	int type = 0;
	if (accept_keyword(K_INT)) type = INT;
	else if (accept_keyword(K_LONG)) {
		accept_keyword(K_INT);
		type = INT;
	} else if (accept_keyword(K_CHAR)) type = CHAR;
	else if (accept_keyword(K_VOID)) type = VOID;
	else if (accept_keyword(K_STRUCT)) type = struct_type();
	else unexpected();
	while (accept_keyword(K_CONST)) {}
	return type;
}

/* The parameters of a function up to ")"; gives how many. */
int parameters() {
	int first = parameter_top;
	int count = 0;
	while (word != ')') {
		int type = declarator(base_type());
		if (type == VOID && declared_name == 0 && count == 0) break;
		if (type_kind[type] == T_ARRAY) type = pointer_to(type_base[type]);
		else if (type_kind[type] == T_FUNCTION) type = pointer_to(type);
		if (is_scalar(type) == 0 || type == VOID) fail("a parameter must fit into a register", 0);
		if (parameter_top == 64) fail("too many parameters", 0);
		parameter_names[parameter_top] = declared_name;
		parameter_types[parameter_top] = type;
		parameter_top = parameter_top + 1;
		count = count + 1;
		if (accept(',') == 0) break;
	}
	expect(')');
	parameter_top = first;
	parameter_count = count;
	return count;
}

/* The "[n]" after a declared name, outermost first. */
int array_suffix(int base) {
	if (accept('[') == 0) return base;
	int count = -1;
	if (word != ']') {
		count = constant();
		if (count < 1) fail("an array has no elements", 0);
	}
	expect(']');
	return array_of(array_suffix(base), count);
}

/* What follows the base type: "*", a name, "[n]", "(parameters)", "(*name)(parameters)". */
int declarator(int type) {
	declared_name = 0;
	while (accept('*')) {
		type = pointer_to(type);
		while (accept_keyword(K_CONST)) {}
	}
	if (accept('(')) {
		int count = 0;
		expect('*');
		if (word == NAME) declared_name = expect_name();
		int name = declared_name;
		if (accept('[')) {
			count = constant();
			expect(']');
		}
		expect(')');
		expect('(');
		type = pointer_to(function_giving(type, parameters()));
		declared_name = name;
		if (count) type = array_of(type, count);
		return type;
	}
	if (word == NAME && word_value > K_LAST) declared_name = expect_name();
	if (word == '[') return array_suffix(type);
	if (accept('(')) {
		int name = declared_name;
		type = function_giving(type, parameters());
		declared_name = name;
	}
	return type;
}

int type_name() {
	int type = declarator(base_type());
	if (declared_name) fail("a type has no name here", names[declared_name]);
	return type;
}

/* Locals; the word is their type. */
void local() {
	int base = base_type();
	if (accept(';')) return;
	while (1) {
		int type = declarator(base);
		int name = declared_name;
		if (name == 0) unexpected();
		if (type_size[type] == 0 || type == VOID) fail("a local has no size", names[name]);
		frame_size = frame_size + round_up(type_size[type], 8);
		if (frame_size > frame_largest) frame_largest = frame_size;
		int symbol = declare(name, LOCAL, type, -frame_size);
		if (word == '=') {
			if (is_scalar(type) == 0 && type_kind[type] != T_STRUCT) fail("a local array has no initial value", names[name]);
			next();
			node_total = 0;
			int place = new_node(N_SYMBOL, type, 0, 0);
			node_value[place] = symbol;
			int value = value_of(assignment());
			if (node_type[value] == VOID) fail("this has no value", 0);
			if (is_scalar(type) != is_scalar(node_type[value])) fail("a struct is no number", 0);
			effect(new_node(N_ASSIGN, type, place, value));
		}
		if (accept(',') == 0) break;
	}
	expect(';');
}

void enum_members() {
	int value = 0;
	if (word == NAME) expect_name();
	expect('{');
	while (word != '}') {
		int name = expect_name();
		node_total = 0;
		if (accept('=')) value = constant();
		declare(name, CONSTANT, INT, value);
		value = value + 1;
		if (accept(',') == 0) break;
	}
	expect('}');
	expect(';');
}

void emit_zeros(int count) {
	emitted = emitted + count;
	while (count > 0) {
		emit(".0 ");
		count = count - 1;
	}
}

/* The initial value of a number or pointer. */
void initial_scalar(int type) {
	node_total = 0;
	int node = value_of(assignment());
	int kind = node_kind[node];
	int value = node_value[node];
	if (kind == N_NUMBER && type == CHAR) {
		emit_byte(value);
		emitted = emitted + 1;
		return;
	}
	if (type == CHAR) fail("this is no constant", 0);
	if (kind == N_NUMBER) {
		int i = 0;
		while (i < 8) {
			emit_byte(value >> i * 8);
			i = i + 1;
		}
	} else {
		if (kind == N_STRING) emit_label("&", value);
		else if (kind == N_ADDRESS && node_kind[node_a[node]] == N_SYMBOL) {
			int symbol = node_value[node_a[node]];
			if (symbol_kind[symbol] == GLOBAL) emit_number("", symbol_value[symbol]);
			else emit_symbol("&", symbol);
		} else fail("this is no constant", 0);
		emit("+0 ");
	}
	emitted = emitted + 8;
}

/* The initial value of something of this type; gives the count of an array without one. */
int initial(int type) {
	int kind = type_kind[type];
	int start = emitted;
	int count = 0;
	if (kind == T_ARRAY && type_base[type] == CHAR && word == STRING) {
		count = string_length + 1;
		if (type_count[type] >= 0 && count > type_count[type] + 1) fail("the string is too long", 0);
		if (type_count[type] >= 0 && count > type_count[type]) count = type_count[type];
		int i = 0;
		while (i < count) {
			emit_byte(string_text[i]);
			i = i + 1;
		}
		emitted = emitted + count;
		next();
	} else if (kind == T_ARRAY) {
		expect('{');
		while (word != '}') {
			initial(type_base[type]);
			count = count + 1;
			if (accept(',') == 0) break;
		}
		expect('}');
		if (type_count[type] >= 0 && count > type_count[type]) fail("too many initial values", 0);
	} else if (kind == T_STRUCT) {
		int member = type_members[type];
		expect('{');
		while (word != '}') {
			if (member == 0) fail("too many initial values", 0);
			emit_zeros(start + member_offset[member] - emitted);
			initial(member_type[member]);
			member = member_next[member];
			if (accept(',') == 0) break;
		}
		expect('}');
	} else initial_scalar(type);
	if (type_size[type]) emit_zeros(start + type_size[type] - emitted);
	return count;
}

void function(int type, int name) {
	int symbol = name_symbol[name];
	int scope;
	int i = 0;
	if (symbol) {
		if (symbol_kind[symbol] != FUNCTION) fail("this is no function", names[name]);
		if (type_count[symbol_type[symbol]] != type_count[type]) fail("was announced with other parameters", names[name]);
	} else symbol = declare(name, FUNCTION, type, 0);
	if (accept(';')) return;
	if (symbol_defined[symbol]) fail("this function is there already", names[name]);
	symbol_defined[symbol] = 1;
	scope = symbol_total;
	while (i < parameter_count) {
		if (parameter_names[i] == 0) fail("a parameter has no name", 0);
		declare(parameter_names[i], LOCAL, parameter_types[i], 16 + 8 * (parameter_count - 1 - i));
		i = i + 1;
	}
	function_type = type_base[type];
	frame_size = 0;
	frame_largest = 0;
	break_label = 0;
	continue_label = 0;
	emit(":f_");
	emit(names[name]);
	emit("\npush_rbp mov_rbp,rsp sub_rsp,i32 +");
	int frame = output_used;
	emit("00000000\n");
	expect('{');
	block();
	emit("xor_eax,eax leave ret\n");
	i = 7;
	while (frame_largest) {       /* now it is known how much the locals take */
		output[frame + i] = '0' + frame_largest % 10;
		frame_largest = frame_largest / 10;
		i = i - 1;
	}
	forget(scope);
	emit_strings();
}

void global(int type, int name) {
	if (name_symbol[name]) fail("the name is taken", names[name]);
	if (type == VOID) fail("a global has no size", names[name]);
	if (accept('=')) {
		emit(":d_");
		emit(names[name]);
		emit("\n");
		emitted = 0;
		int symbol = declare(name, DATA, type, 0);
		int count = initial(type);
		emit("\n");
		if (type_kind[type] == T_ARRAY && type_count[type] < 0) symbol_type[symbol] = array_of(type_base[type], count);
		emit_strings();
		return;
	}
	if (type_size[type] == 0) fail("a global has no size", names[name]);
	declare(name, GLOBAL, type, global_next);
	global_next = global_next + round_up(type_size[type], 8);
	if (global_next > GLOBALS_END) fail("the globals are too large", names[name]);
}

void program() {
	next();
	while (word != END) {
		while (accept_keyword(K_STATIC)) {}
		if (accept_keyword(K_ENUM)) enum_members();
		else {
			int base = base_type();
			while (word != ';') {
				node_total = 0;
				int type = declarator(base);
				int name = declared_name;
				if (name == 0) unexpected();
				if (type_kind[type] == T_FUNCTION) {
					function(type, name);
					base = 0;
					break;
				}
				global(type, name);
				if (accept(',') == 0) break;
			}
			if (base) expect(';');
		}
	}
}

int main(int argc, char **argv) {
	int file;
	int done = 0;
	input_file = "cc";
	if (argc != 3) fail("usage: cc INPUT OUTPUT", 0);
	global_next = GLOBALS_BEGIN;
	start_words();
	start_types();
	declare(name_index("syscall", 7), FUNCTION, function_giving(INT, 4), 0);
	include(argv[1]);
	program();
	file = syscall(SYS_OPEN, argv[2], 577, 420);  /* O_WRONLY, O_CREAT, O_TRUNC; rw-r--r-- */
	while (done < output_used) {
		int n = syscall(SYS_WRITE, file, output + done, output_used - done);
		if (n < 1) fail("can not be written", argv[2]);
		done = done + n;
	}
	return 0;
}
