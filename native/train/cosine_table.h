/* The loops of this instruction set, by what they do. */
const struct bw_train_cosine_loops NAME(bw_train_cosine_loops) = {NAME(cosine), NAME(cosine_back), NAME(moments),
                                                                  NAME(moments_back), NAME(rasu), NAME(rasu_back)};
