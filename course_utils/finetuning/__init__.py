"""Fine-tuning: heads on a pretrained encoder, their data, their losses, and what is reported of them."""
