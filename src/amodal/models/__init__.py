"""Models: from a batch to distributions. No file, no table, no progress bar."""

from amodal.models.multimodal_vae import MultimodalVAE

__all__ = ["MultimodalVAE"]
