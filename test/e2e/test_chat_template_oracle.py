"""Chat templates against jinja2, set up as transformers sets it up; and what a hostile template may not do."""
import json
import os
import subprocess
from datetime import datetime
from pathlib import Path

import jinja2
import pytest
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

BUILD = Path(os.environ.get("LLMIR_BUILD", Path(__file__).resolve().parents[2] / "build"))
TOOL = BUILD / "bin/test/chat_template_tool"


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return env


ENV = environment()


@pytest.fixture(scope="module")
def render():
    if not TOOL.exists():
        pytest.skip(f"{TOOL} is not built: build the target llmir_tests")
    process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(template, context, **limits):
        request = {"template": template, "context": context}
        if limits:
            request["limits"] = limits
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait()


TEMPLATES = {
    "chatml": """{% for m in messages %}
{{'<|im_start|>' + m['role'] + '\\n' + m['content']|string + '<|im_end|>' + '\\n'}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\\n' }}
{% endif %}
""",
    "default_system": """{% for m in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
Be kind.<|im_end|>
' }}{% endif %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ (m.content or '') ~ '<|im_end|>' ~ '\n' }}{% endfor %}""",
    "llama2": """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}
{% else %}{% set rest = messages %}{% set system = false %}{% endif %}
{% for m in rest %}
{% if loop.index0 == 0 and system %}{% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m['content'] %}
{% else %}{% set content = m['content'] %}{% endif %}
{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{%- elif m['role'] == 'assistant' %}{{ ' ' + (content or '')|trim + ' ' + eos_token }}{% endif %}
{% endfor %}""",
    "llama3_tools": """{{- bos_token }}
{%- if not date_string is defined %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {{- "Functions:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ (message['content'] | trim) + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("one call at a time") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' + (tool_call.arguments | tojson) + "}<|eot_id|>" }}
    {%- else %}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
""",
    "qwen3_reasoning": """{%- set ns = namespace(multi_step=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- if tools %}{%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}{%- endif %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or reasoning) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}
        {%- if message.tool_calls %}
            {%- for call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
                {%- if call.function %}{%- set call = call.function %}{%- endif %}
                {{- '<tool_call>\\n{"name": "' }}{{- call.name }}{{- '", "arguments": ' }}
                {%- if call.arguments is string %}{{- call.arguments }}{%- else %}{{- call.arguments | tojson }}{%- endif %}{{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' ~ content ~ '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    "gemma": """{{ bos_token }}{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}{%- set prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}{%- set prefix = messages[0]['content'][0]['text'] + '\n\n' -%}{%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (prefix if loop.first else "") }}
    {%- if message['content'] is string -%}{{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{ raise_exception("bad content") }}{%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}""",
    "gemma_strict": """{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must take turns') }}{% endif %}
<{{ m.role }}>{{ m.content|trim }}{% endfor %}""",
    "mistral": """{%- set users = messages | selectattr("role", "equalto", "user") | list %}
{%- for message in messages | rejectattr("role", "equalto", "system") | rejectattr("role", "equalto", "tool") | rejectattr("tool_calls", "defined") %}
{%- if message.role == "user" %}
{%- if tools is not none and (message == users[-1]) %}{{- "[AVAILABLE_TOOLS] [" }}
{%- for tool in tools %}{%- set tool = tool.function %}
{{- '{"type": "function", "function": {' }}
{%- for key, val in tool.items() if key != "return" %}
{%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}{{- "}}" }}
{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}{%- endfor %}{{- "[/AVAILABLE_TOOLS]" }}
{%- endif %}{{- "[INST] " ~ message["content"] ~ "[/INST]" }}
{%- else %}{{- " " ~ (message.content|string)|trim ~ eos_token}}{%- endif %}{%- endfor %}""",
    "phi": """{% for message in messages %}{% if message['role'] in ['system', 'user', 'assistant'] and message['content'] %}{{'<|' + message['role'] + '|>\n' + message['content']|string + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}""",
    "deepseek": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, system='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system}}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']|string}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is none %}{%- set ns.is_tool = false -%}{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<｜calls｜>' + tool['type'] + '<｜sep｜>' + tool['function']['name'] + '\n' + '```json' + '\n' + tool['function']['arguments']|tojson + '\n' + '```'}}{%- set ns.is_first = true -%}{%- else %}{{'\n' + tool['function']['name']}}{%- endif %}{%- endfor %}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜>'}}{% endif %}""",
    "command_r": """{{ bos_token }}{% macro turn(role, text='', tag="TURN") %}<|{{ tag }}|>{{ role | upper }}: {{ text }}{% endmacro %}
{% for m in messages %}{% if m.role == 'tool' %}{% continue %}{% endif %}
{{ turn(m.role, m.content|default('none', true)) }}
{%- if loop.nextitem is defined %} -> {{ loop.nextitem.role }}{% endif %}
{%- if loop.previtem is defined %} <- {{ loop.previtem.role }}{% endif %}

{% else %}nobody{% endfor %}{{ turn(tag="END", role="x") }}""",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content']|string + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{% generation %}{{ '<|assistant|>\n'  + message['content']|string + eos_token }}{% endgeneration %}

{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "granite": """{%- macro describe(schema, level=0) -%}
{%- if schema is mapping -%}
{%- for key, value in schema | dictsort %}

{{ '  ' * level }}{{ key }}: {{ describe(value, level + 1) }}
{%- endfor -%}
{%- elif schema is sequence and schema is not string -%}[{% for s in schema %}{{ describe(s, level) }}{{ ", " if not loop.last }}{% endfor %}]
{%- else -%}{{ schema }}{%- endif -%}
{%- endmacro -%}
{%- for tool in tools or [] %}{{ tool.function.name | title }}:{{ describe(tool.function.parameters, 1) }}
{% endfor %}
{%- for m in messages %}{{ '<|start_of_role|>%s' | replace('%s', m.role) }}{{ '|' ~ (m.content | string | length) }}{% endfor %}""",
    "call_block": """{% macro box(title) %}[{{ title }}: {{ caller() }}]{% endmacro %}
{% for m in messages %}{% call box(m.role) %}{{ m.content | string | capitalize }}{% endcall %}

{% endfor %}
{% set body %}{% for m in messages if m.role == 'user' %}{{ loop.index }}/{{ loop.length }} {% endfor %}{% endset %}
{{ body | trim | upper }}{% filter upper %} shout{% endfilter %}
{% with a = 1, b = messages | length %}{{ a + b }}{% endwith %}""",
    "content_parts": """{%- for m in messages -%}{%- set text = m.content if m.content is string else (m.content or []) | selectattr('type', 'equalto', 'text') | map(attribute='text') | join(' + ') -%}
{{ loop.cycle('>', '<') }}{{ m.role }}={{ text }}|{%- if loop.index > 3 %}{% break %}{% endif -%}{%- endfor -%}""",
}

TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "Weather for a <place> & 'time'",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer", "enum": [1, 2.5, None, True]}},
                   "required": ["place"]}}}]
CALL = {"type": "function", "function": {"name": "get_weather", "arguments": {"place": "Zürich \"x\"\n", "days": 3, "f": 1e-7, "g": 1e16}}}
CONVERSATIONS = [
    [{"role": "user", "content": "Hello"}],
    [{"role": "system", "content": " You are helpful.\n"}, {"role": "user", "content": "  Hi 😀 "}],
    [{"role": "user", "content": "Was ist 2+2?"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nVier."},
     {"role": "user", "content": "ß ǆ straße 日本"}],
    [{"role": "system", "content": "S"}, {"role": "user", "content": "weather?"},
     {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": '{"t": 3}'},
     {"role": "tool", "content": "b"}, {"role": "assistant", "content": "Cold.", "reasoning_content": "\nbrr\n"}],
    [{"role": "user", "content": [{"type": "text", "text": " look "}, {"type": "image"}, {"type": "text", "text": "here"}]}],
    [{"role": "user", "content": "a"}, {"role": "user", "content": ""}],
]


def agree(render, template, context):
    try:
        wanted = ENV.from_string(template).render(**context)
    except Exception as error:
        answer = render(template, context)
        assert "error" in answer, (repr(error), answer)
        assert "\n" not in answer["error"]
        return False
    assert render(template, context) == {"text": wanted}, template
    return True


@pytest.mark.parametrize("name", TEMPLATES)
def test_conversations(render, name):
    agreed = 0
    for messages in CONVERSATIONS:
        for tools in (None, TOOLS):
            for prompt in (False, True):
                agreed += agree(render, TEMPLATES[name], dict(
                    messages=messages, tools=tools, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>",
                    enable_thinking=False))
    assert agreed >= 4


CONTEXT = dict(a=[3, 1, 2], b="Hello World", n=None, t=True, f=1.5, d={"x": 1, "y": [1, "z"], "items": 5}, e=[], i=-7,
               u="straße İ 日本 ǆ'\"\n\t\x01", people=[{"name": "bo", "age": 3}, {"name": "Al", "age": 40}, {"name": "al", "age": 3}])
EXPRESSIONS = r"""
a | a[0] | a[-1] | a[5] | a[::-1] | a[1:] | a[:-1] | a[::2] | b[1:3] | b[::-1] | u[6] | b.foo | d.x | d['items'] | d.nope
1 + 2 * 3 ** 2 | 7 // 2 | -7 // 2 | i % 3 | 7 % -3 | 7 / 2 | 2 ** 0.5 | -2 ** 2 | 1e16 | 1e-5 | 0.1 + 0.2 | 100000000000000.0 | 1.0 | 5 // 2.0 | i % 2.5
1 < 2 < 3 | 1 < 3 < 2 | 1 == 1.0 | t == 1 | 'a' in b | 'H' in b | 2 in a | 'x' in d | 3 not in a | not t | a == [3, 1, 2] | (1, 2) == (1, 2) | [1] == (1,)
t and n | n or 'x' | n and 1 | 'yes' if t else 'no' | 'yes' if n | a if e else 1 | t ~ n ~ f ~ a ~ d | [1, 'a', "it's", none, true, 1.5, (1,), ()] | {'a': [1, {'b': none}]}
u | [u] | 'a\x41\u00e9\'"' 'b' | 3 * 'ab' | [1] * 2 | [1] + [2] | 'a' + 'b' | -f | +i | nope | nope is defined | nope is undefined | nope == nope | nope ~ 'x' | 10_000
b is string | a is iterable | b is iterable | d is mapping | n is none | n is not none | 1 is number | t is number | t is boolean | t is true | 1 is true | a is sequence | f is float | 3 is integer | t is integer | 3 is odd | 4 is even | 4 is divisibleby 2 | 4 is divisibleby(3) | 3 is eq 3 | 3 is equalto(4) | 2 is in a | 2 is not in [1] | 'a' is lower | 'A' is upper | range is callable | 1 is sameas 1 | 3 is gt 2 and 2 is le 2
b.upper() | b.lower() | b.split() | b.split('o') | b.split('o', 1) | b.rsplit('o', 1) | ' a  b '.split() | ' a b c '.split(none, 1) | ' a b c '.rsplit(none, 1) | 'a\nb\r\nc'.splitlines() | b.replace('l', 'L', 2) | b.startswith('He') | b.startswith(('x', 'H')) | b.endswith('d') | 'xxaxx'.strip('x') | 'xxa'.lstrip('x') | ' a '.rstrip() | ', '.join(['a', 'b']) | "they're bill's".title() | 'hELLO'.capitalize() | b.find('o') | b.rfind('o') | b.count('l') | 'abc'.removeprefix('a') | 'abc'.removesuffix('c') | '12'.isdigit() | d.get('x') | d.get('q') | d.get('q', 5) | a.index(1) | a.count(3) | u.upper() | u.lower()
"""
FILTERS = r"""
b|length ; a|first ; a|last ; e|first ; a|join ; a|join(', ') ; people|join('; ', attribute='name') ; a|sort ; a|sort(reverse=true) ; people|sort(attribute='name')|map(attribute='name')|list ; a|reverse|list ; 'abc'|reverse
people|map(attribute='age')|list ; ['a', 'b']|map('upper')|list ; people|map(attribute='zip', default='-')|join ; people|selectattr('age', 'gt', 10)|list ; people|rejectattr('age', 'equalto', 3)|list ; [0, 1, none, 'x']|select|list ; a|select('odd')|list ; a|reject('in', [1, 2])|list ; people|selectattr('name')|list|length
nope|default('x') ; n|default('x') ; n|default('x', true) ; nope|d(1) ; nope|default ; '42'|int ; 'x'|int ; 'x'|int(7) ; '3.7'|int ; 3.9|int ; '1.5'|float ; 'z'|float ; 3|float ; a|string ; f|string ; i|abs ; 2.567|round(2) ; 2.5|round ; 3.5|round ; 2.1|round(0, 'ceil') ; 2.9|round(method='floor') ; 7|round
d|tojson ; d|tojson(indent=2) ; [u, {}, [], none, true, 1.0, 1e20]|tojson ; u|tojson(ensure_ascii=true) ; d|tojson(separators=(',', ':')) ; {'b': 1, 'a': [1, 2]}|tojson(sort_keys=true, indent=1) ; (1, 2)|tojson ; []|tojson(indent=2)
'hello wORLD-foo (bar'|title ; 'hELLO wORLD'|capitalize ; u|upper ; u|lower ; ' x '|trim ; 'xax'|trim('x') ; 'aXbX'|replace('X', '-') ; 'aXbX'|replace('X', '-', 1) ; 'a\nb\n\nc'|indent ; 'a\nb\n\nc'|indent(2, true) ; 'a\n\nb'|indent(2, blank=true) ; 'a\nb'|indent(width='> ') ; [1, 2, 1, 'a', 'A']|unique|list ; people|unique(attribute='age')|map(attribute='name')|list
d|items|list ; d.items()|list ; d.keys()|list ; d.values()|list ; {'b': 1, 'A': 3, 'c': 2}|dictsort ; {'b': 1, 'a': 3}|dictsort(by='value') ; [1, 2, 3]|sum ; people|sum(attribute='age') ; a|min ; a|max ; 'a b c'|wordcount ; 'abc'|list ; d|list ; d|length ; a|count ; (1, 2)|list ; -1|abs ; a|length + 1 ; not a|length == 3 ; b|upper|lower|length ; 'x' ~ a|length
range(3)|list ; range(1, 10, 3)|list ; range(5, 0, -2)|list ; range(0)|list ; dict(a=1, b='x') ; dict({'z': 1}, y=2) ; namespace(a=1).a ; d.x is defined ; d.q.r is defined ; people[0].name ; people.0.name ; people[0]['name'] ; (1, 2)[0] ; [[1, 2], [3]][0][1] ; '%' ~ 1 ; {'a': 1}.a ; {'a': 1, 'a': 2}
"""
STATEMENTS = [
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for x in [] %}a{% else %}b{% endfor %}",
    "{% set x = 1 %}{% for i in a %}{% set x = i %}{% endfor %}{{ x }}", "{% if false %}a{% elif true %}b{% else %}c{% endif %}",
    "{% set ns = namespace(n=0) %}{% for i in a %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
    "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in a %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for i in a %}{% for j in a %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "{% for (x, y) in [(1, 2), (3, 4)] %}{{ x * y }},{% endfor %}",
    "a\n  {% if true %}  \n b\n  {% endif %}\nc\n", "a  {%- if true -%}  b  {%- endif -%}  c", "  {{ 1 }}  \n  {{- 2 -}}  \n 3\n\n", "a\n{# c #}\nb {#- d -#} e\n   {# f #}\n",
    "{%+ if true %} x {%+ endif %}\n", "  {%+ if true +%}\n x\n{% endif %}", "{% raw %}{{ x }} {% y %}{% endraw %}!", "a\n  {% raw -%}  {{ }}  {%- endraw %}\n b",
    "x\r\ny\r{% if true %}\r\nz{% endif %}\n\n", "{{ '}}' }}{{ '%}' }}{{ \"{{\" }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{ { } } {x}", "", "\n", "{{ a, b }}",
    "{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(b=0, a=9) }}", "{% macro m(x) %}{{ x }}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}", "{% macro m() %}{{ t }}{% endmacro %}{{ m() | trim | upper }}",
    "{% for x in a if x > 1 %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% endfor %}", "{% for c in 'añ' %}{{ c }}.{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for x in nope %}x{% endfor %}-",
    "{{ '-' * 3 if t else '' }}{{ ('a' if n else 'b') ~ 'c' }}", "{{ a if a is sequence and a | length > 2 else none }}", "{% if a and not n %}1{% endif %}", "{{ not n is none }}", "{{ d.y[1] is string }}",
    # failures in both
    "{{ nope.x }}", "{{ nope() }}", "{{ 1 + 'a' }}", "{{ 'a' + 1 }}", "{{ nope + 'a' }}", "{{ 1 / 0 }}", "{{ 'a' < 1 }}", "{{ a | nofilter }}", "{{ a is notest }}", "{% if %}", "{% endif %}", "{% for x in 5 %}{% endfor %}",
    "{% foo %}", "{{ 'x }}", "{{ (1 }}", "{% if true %}", "{{ }}", "{{ 1 2 }}", "{# x", "{% set x.y = 1 %}", "{{ raise_exception('no') }}", "{{ [1, 2][0 }}", "{{ range(1000000) | list }}", "{{ {}|tojson(indent=2) ~ (range|tojson) }}", "{% break %}",
    # the sandbox
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__ }}", "{{ [].append(1) }}", "{{ a.pop() }}", "{{ d.update({}) }}", "{{ d.clear() }}", "{{ range.__globals__ }}", "{{ ''|attr('__class__') }}", "{{ a['__class__']['x'] }}",
]


def test_expressions(render):
    for line in EXPRESSIONS.strip().splitlines():
        for expression in line.split(" | "):
            agree(render, "{{ " + expression + " }}", CONTEXT)
    for line in FILTERS.strip().splitlines():
        for expression in line.split(" ; "):
            assert agree(render, "{{ " + expression + " }}", CONTEXT) or expression.startswith("d.q.r"), expression


@pytest.mark.parametrize("template", STATEMENTS)
def test_statements(render, template):
    agree(render, template, CONTEXT)


def test_time(render):
    assert render("{{ strftime_now('%Y') }}", {})["text"] in (str(datetime.now().year), str(datetime.now().year - 1))


HOSTILE = {
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}": "steps",
    "{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}": "macros call each other",
    "{{ range(10 ** 12) }}": "range",
    "{{ 'a' * 10 ** 12 }}": "longer",
    "{{ [1] * 10 ** 9 }}": "longer",
    "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}": "longer",
    "{% set ns = namespace(s=[]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}": "nested",
    "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}": "steps",
    "{% set ns = namespace() %}{% set ns.me = ns %}": "namespace",
    "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}": "",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}": "nested",
    "{{ " + "-" * 5000 + "1 }}": "nested",
    "{{ " + "not " * 5000 + "1 }}": "nested",
    "{{ 1" + "+1" * 5000 + " }}": "nested",
    "{{ a" + ".b" * 5000 + " }}": "nested",
    "{% if 1 %}" * 5000: "nested",
    "x" * (2 << 20): "bytes",
    "{{ 2 ** 99999999999 }}": "64 bits",
    "{{ -9223372036854775807 - 5 }}": "64 bits",
    "{{ (-9223372036854775807 - 1) // -1 }}": "64 bits",
    "{{ 99999999999999999999 }}": "too large",
    "{{ ('a,' * 500000).split(',') | map('upper') | join(',' * 100000) }}": "",
    "{{ 'aaaaaaaa'.replace('a', 'b' * 10000000) }}": "longer",
    "{{ '\\ud800' }}": "escape",
    "\n\n{{ nope.x }}": "line 3",
}


@pytest.mark.parametrize("template", HOSTILE, ids=lambda t: t[:40])
def test_limits(render, template):
    answer = render(template, CONTEXT)
    assert HOSTILE[template] in answer["error"] and "\n" not in answer["error"]
    assert "line" in answer["error"] or "bytes" in answer["error"]


def test_deep_context(render):
    value = []
    for _ in range(800):
        value = [value]
    assert "nested" in render("{{ x }}", {"x": value})["error"]
    assert "steps" in render("{% for i in range(100) %}{% endfor %}", {}, steps=50)["error"]
    assert "output" in render("abcdef{{ 1 }}", {}, output_bytes=3)["error"]
