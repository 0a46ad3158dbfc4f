"""What a page is, and how it is read, judged, stored and found.

Bytes come in, `Page` objects and shards go out. No torch, no Ray. In reading order:
`errors`, `config`, `geometry`, `key`, `page`, then the rooms `read`, `curate`, `store`.
"""
