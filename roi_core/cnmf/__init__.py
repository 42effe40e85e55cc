"""Online CNMF, one file a step of the paper: cells found, separated and turned into spikes."""
