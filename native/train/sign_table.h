/* The loops of this instruction set, by what they do. */
const struct bw_train_sign_loops NAME(bw_train_sign_loops) = {NAME(pass), NAME(noise), NAME(noise_back), NAME(rprelu),
                                                              NAME(rprelu_back)};
