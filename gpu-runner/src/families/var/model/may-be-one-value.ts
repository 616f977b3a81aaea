/** Tables and matrices that can be meant to be all zeros: no class, no level, no modulation, no convolution in phi. */
export const MAY_BE_ONE_VALUE = /^(class_emb|lvl_embed|quantize\.quant_resi)\.|ada_lin/
