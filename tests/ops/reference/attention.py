"""What the rows of table/attention.cc are in PyTorch."""
import torch.nn.attention

from common import *

def attention(q, k, v, **options):
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return F.scaled_dot_product_attention(q, k, v, **options)


ROWS = {
    "scaled_dot_product_attention": (attention, [[(2, 3), (4, 3), (4, 2)], [(2, 2, 3), (2, 4, 3), (2, 4, 2)], [(2, 1, 2, 2), (2, 1, 3, 2), (2, 1, 3, 2)]], [WIDE]),
    "scaled_dot_product_attention causal": (lambda q, k, v: attention(q, k, v, is_causal=True, scale=0.75), [[(3, 2), (3, 2), (3, 2)], [(2, 3, 2), (2, 4, 2), (2, 4, 1)]], [WIDE]),
    "scaled_dot_product_attention mask": (lambda q, k, v: attention(q, k, v, attn_mask=mask(2, 3)), [[(2, 2), (3, 2), (3, 2)], [(2, 2, 2), (2, 3, 2), (2, 3, 1)]], [WIDE]),
    "scaled_dot_product_attention nowhere": (lambda q, k, v: attention(q, k, v, attn_mask=torch.ones(3, 2, dtype=torch.bool).tril(-1)), [[(3, 2), (2, 2), (2, 3)]], [WIDE]),
    "scaled_dot_product_attention scores": (lambda q, k, v, m: attention(q, k, v, attn_mask=m), [[(2, 2), (3, 2), (3, 2), (2, 3)], [(2, 2, 2), (2, 3, 2), (2, 3, 1), (1, 3)]], [WIDE]),
}
