"""How a conversation is written out: ChatML as Qwen3 writes it, with pictures and two modes.

In the short mode, the default, an empty thinking block stands before the answer; with
`enable_thinking` the block is only opened, and the model fills it. Thoughts of earlier turns are
left out, whether they come as `reasoning_content` or before the answer, as the model wrote them.
"""

from __future__ import annotations

TEMPLATE = """\
{%- macro shown(content) -%}
{%- if content is string -%}{{ content }}
{%- else -%}
{%- for part in content -%}
{%- if not loop.first %}{{ '\\n' }}{% endif -%}
{%- if part.type in ['image', 'image_url'] -%}{{ 'IMAGE_TOKEN' }}
{%- elif part.type == 'video' -%}{{ 'VIDEO_TOKEN' }}
{%- elif part.type == 'text' -%}{{ part.text }}
{%- else -%}{{ raise_exception('a message can hold image, video and text, not ' ~ part.type) }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- set asked = namespace(last=-1) -%}
{%- for message in messages -%}
{%- if message.role == 'user' -%}{%- set asked.last = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
{%- if message.role in ['system', 'user'] -%}
{{ '<|im_start|>' ~ message.role ~ '\\n' ~ shown(message.content) ~ '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' -%}
{{ '<|im_start|>assistant\\n' }}
{%- set thoughts = message.reasoning_content | default('', true) -%}
{%- set answer = shown(message.content) -%}
{%- if not thoughts and '\\n</think>\\n\\n' in answer -%}
{%- set thoughts, answer = answer.split('\\n</think>\\n\\n', 1) -%}
{%- set thoughts = (thoughts[7:] if thoughts.startswith('<think>') else thoughts).strip('\\n') -%}
{%- endif -%}
{%- if thoughts and loop.index0 > asked.last -%}
{{ '<think>\\n' }}
{%- generation -%}
{{ thoughts ~ '\\n</think>\\n\\n' ~ answer ~ '<|im_end|>' }}
{%- endgeneration -%}
{%- else -%}
{{ '<think>\\n\\n</think>\\n\\n' }}
{%- generation -%}
{{ answer ~ '<|im_end|>' }}
{%- endgeneration -%}
{%- endif -%}
{{ '\\n' }}
{%- else -%}
{{ raise_exception('a message is from system, user or assistant, not ' ~ message.role) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{{- '<think>\\n' if enable_thinking | default(false) else '<think>\\n\\n</think>\\n\\n' }}
{%- endif -%}
"""


def chat_template(image_token: str, video_token: str) -> str:
    """The Jinja template, with these tokens where pictures and videos go."""
    return TEMPLATE.replace("IMAGE_TOKEN", image_token).replace("VIDEO_TOKEN", video_token)
